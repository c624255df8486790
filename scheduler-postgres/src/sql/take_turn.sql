-- R17: those who count how many rows of a job run take turns.
SELECT s.job_id
FROM {schema}.job_states AS s
WHERE s.job_id = (SELECT e.job_id FROM {schema}.job_executions AS e WHERE e.id = $1::bigint)
FOR NO KEY UPDATE
