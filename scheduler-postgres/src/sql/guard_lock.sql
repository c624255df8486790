-- R7: the execution's row, locked against its end for as long as the user's transaction lasts.
SELECT e.status = 'running' AND e.fence = $2::bigint AS runs
FROM {schema}.job_executions AS e
WHERE e.id = $1::bigint
FOR SHARE OF e
