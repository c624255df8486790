SELECT {e.read_columns}
FROM {schema}.job_executions AS e
WHERE e.job_id = $1::text AND e.occurrence = $2::text
ORDER BY e.attempt DESC
LIMIT 1
