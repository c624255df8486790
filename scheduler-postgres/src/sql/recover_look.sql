-- R6: running rows whose lease has expired, and was given for no longer than the looker was healthy, or is not there. The
-- predecessor's rows have neither fence nor lease: one that it did not end within a day was lost.
(SELECT l.execution_id AS id FROM {schema}.execution_leases AS l
 WHERE l.expires_at < clock_timestamp() AND l.ttl_ms <= $2::bigint)
UNION
(SELECT e.id FROM {schema}.job_executions AS e
 WHERE e.status = 'running'
   AND (e.fence IS NOT NULL OR e.created_at < clock_timestamp() - interval '1 day')
   AND NOT EXISTS (SELECT FROM {schema}.execution_leases AS l WHERE l.execution_id = e.id))
ORDER BY id
LIMIT $1::bigint
