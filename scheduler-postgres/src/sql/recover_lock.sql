SELECT e.id
FROM {schema}.job_executions AS e
WHERE e.id = ANY ($1::bigint[])
ORDER BY e.id
FOR NO KEY UPDATE OF e SKIP LOCKED
