-- R19: the first attempt of a request whose idempotency key is known.
SELECT e.request_hash IS NOT DISTINCT FROM $3::text AS same, {e.columns}
FROM {schema}.job_executions AS e
WHERE e.job_id = $1::text AND e.occurrence = $2::text AND e.attempt = 1
