-- R20: each occurrence's newest attempt, and whether it lies in the past, is decided, and may have lost rows; the job's
-- state is locked.
SELECT a.nth, n.id, n.attempt, n.status,
       a.scheduled_at <= clock_timestamp() AS is_past, a.scheduled_at <= s.watermark AS is_decided,
       coalesce(a.scheduled_at < s.prune_horizon, false) AS is_pruned
FROM unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS a (occurrence, scheduled_at, nth)
JOIN {schema}.job_states AS s ON s.job_id = $1::text
LEFT JOIN LATERAL (
    SELECT e.id, e.attempt, e.status
    FROM {schema}.job_executions AS e
    WHERE e.job_id = $1 AND e.occurrence = a.occurrence
    ORDER BY e.attempt DESC
    LIMIT 1
) AS n ON true
ORDER BY a.nth
