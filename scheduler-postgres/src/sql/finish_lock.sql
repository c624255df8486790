-- R6, R9: the row of an outcome that could not be written at once, locked.
SELECT e.status, e.fence, e.late, e.reason, e.for_instance IS NOT NULL AS is_ones_alone
FROM {schema}.job_executions AS e
WHERE e.id = $1::bigint
FOR NO KEY UPDATE OF e
