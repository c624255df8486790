-- R19: a manual request as a pending row. One that holds the key under `skip`, or is the queued one, may meet another.
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at,
     holds_key, queued, request_hash, triggered_by, params, traceparent, tracestate, created_at)
SELECT s.job_id, $2::text, 1, $3::integer, 'manual', $4::text, $5::text, now.at, now.at,
       CASE WHEN $4 = 'skipped' THEN now.at END, $6::boolean, $7::boolean, $8::text, $9::text,
       $10::json, $11::text, $12::text, now.at
FROM {schema}.job_states AS s, (SELECT clock_timestamp() AS at) AS now
WHERE s.job_id = $1::text
ON CONFLICT DO NOTHING
RETURNING {e.columns}
