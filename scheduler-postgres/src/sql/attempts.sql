-- The attempts at an occurrence, newest first, without the columns that may be long.
SELECT {e.short_columns}
FROM {schema}.job_executions AS e
WHERE e.job_id = $1 AND e.occurrence = $2
ORDER BY e.attempt DESC
LIMIT $3::bigint
