SELECT {e.read_columns}
FROM unnest($1::text[]) WITH ORDINALITY AS a (job_id, nth)
JOIN LATERAL (
    SELECT * FROM {schema}.job_executions AS r
    -- An equality would let the planner read all jobs' rows by their id until it meets this job's.
    WHERE r.job_id >= a.job_id AND r.job_id <= a.job_id AND r.started_at IS NOT NULL
    ORDER BY r.job_id DESC, r.id DESC
    LIMIT 1
) AS e ON true
ORDER BY a.nth
