-- R6: the owner's outcome of a row that was given up, the row locked.
UPDATE {schema}.job_executions AS e
SET status = $2::text, success = $2 = 'succeeded', reason = $3::text,
    message = $4::text, error_trace = $5::text, result_data = $6::json,
    finished_at = clock_timestamp(), updated_at = clock_timestamp(), late = true,
    duration_seconds = least(9999999.999, greatest(0, extract(epoch FROM clock_timestamp() - e.started_at)))
WHERE e.id = $1::bigint AND e.status = 'abandoned'
