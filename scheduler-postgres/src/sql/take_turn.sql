-- R17: those who count how many rows of a job run take turns.
SELECT s.job_id
FROM {schema}.job_states AS s
WHERE s.job_id = ANY (ARRAY (SELECT e.job_id::text FROM {schema}.job_executions AS e WHERE e.id = ANY ($1::bigint[])))
ORDER BY s.job_id
FOR NO KEY UPDATE
