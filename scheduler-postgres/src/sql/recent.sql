-- Of each job its newest rows, without the columns that may be long.
SELECT e.id, e.job_id, e.occurrence, e.attempt, e.max_attempts, e.origin, e.status, e.reason, e.scheduled_at, e.not_before,
       e.started_at, e.finished_at, e.duration_seconds::float8 AS duration_seconds, NULL::text AS message,
       NULL::text AS error_trace, NULL::json AS result_data, e.holds_key, e.queued, e.claim_id, e.fence, e.instance_id,
       e.triggered_by, NULL::json AS params, e.late, e.missed_from, e.missed_count, e.created_at
FROM unnest($1::text[]) WITH ORDINALITY AS a (job_id, nth)
JOIN LATERAL (
    SELECT * FROM {schema}.job_executions AS r
    -- An equality would let the planner read all jobs' rows by their id until it meets this job's.
    WHERE r.job_id >= a.job_id AND r.job_id <= a.job_id
    ORDER BY r.job_id DESC, r.id DESC
    LIMIT $2::bigint
) AS e ON true
ORDER BY a.nth, e.id DESC
