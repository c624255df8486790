-- R8: the run that a claim or take made, looked up where it would be: at an occurrence, or in a row.
SELECT e.id, e.fence, e.started_at, e.status,
       greatest(0, floor(extract(epoch FROM l.expires_at - clock_timestamp()) * 1000))::bigint AS left_ms,
       coalesce(e.holds_key AND e.status = 'running'
                AND EXISTS (SELECT FROM {schema}.fences_ended_since(e.started_at - interval '100 milliseconds') AS o
                            WHERE o.job_id = e.job_id AND o.fence > e.fence), false) AS overtaken
FROM {schema}.job_executions AS e
LEFT JOIN {schema}.execution_leases AS l ON l.execution_id = e.id AND l.fence = e.fence
WHERE (e.job_id = $2::text AND e.occurrence = $3::text OR e.id = $4::bigint) AND e.claim_id = $1::uuid AND e.fence IS NOT NULL
