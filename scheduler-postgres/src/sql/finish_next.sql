-- The attempt after this one, if there is one; asked once the row is locked.
SELECT n.id
FROM {schema}.job_executions AS e
JOIN {schema}.job_executions AS n
     ON n.job_id = e.job_id AND n.occurrence = e.occurrence AND n.attempt > e.attempt
WHERE e.id = $1::bigint
ORDER BY n.attempt
LIMIT 1
