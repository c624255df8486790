SELECT e.id
FROM {schema}.job_executions AS e
WHERE e.id = ANY ($1::bigint[]) AND e.status NOT IN ('pending', 'running')
ORDER BY e.id
FOR UPDATE OF e SKIP LOCKED
