-- R21: rows of one job that nobody needs, the oldest first. Ids grow with time: where all
-- rows are newer than the bound the job's are looked at no further, so that a job without old ones costs nothing.
SELECT e.id, e.job_id, e.occurrence LIKE 's:%' AS is_scheduled
FROM {schema}.job_executions AS e
WHERE e.job_id = $3::text
  AND e.id < (SELECT {schema}.first_id_since($1::timestamptz + interval '20 minutes'))
  AND greatest(e.created_at, e.scheduled_at) < $1
  AND e.status NOT IN ('pending', 'running')
  AND (e.occurrence NOT LIKE 's:%'
       OR coalesce(e.scheduled_at <= (SELECT s.watermark FROM {schema}.job_states AS s WHERE s.job_id = e.job_id), true))
  AND NOT (SELECT bool_or(o.status IN ('pending', 'running')) FROM {schema}.job_executions AS o
           WHERE o.job_id = e.job_id AND o.occurrence = e.occurrence)
ORDER BY e.job_id, e.id
LIMIT $2::bigint
