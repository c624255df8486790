-- The row that holds the job's key, else the one that is queued for it.
SELECT e.id
FROM {schema}.job_executions AS e
WHERE e.job_id = $1::text AND (e.holds_key OR e.queued) AND e.for_instance IS NULL
ORDER BY e.holds_key DESC
LIMIT 1
