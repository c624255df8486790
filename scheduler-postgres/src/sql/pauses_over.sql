SELECT s.job_id
FROM {schema}.job_states AS s
WHERE s.pause_until <= clock_timestamp()
ORDER BY s.pause_until
LIMIT $1::bigint
