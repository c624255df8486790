-- R12: the clock, the newest range row, and whether a row holds the key or is queued; the job's state is locked.
SELECT clock_timestamp() AS now,
       r.id AS range_id, r.reason AS range_reason, r.missed_from, r.scheduled_at,
       EXISTS (SELECT FROM {schema}.job_executions AS h WHERE h.job_id = $1 AND h.holds_key)
       OR EXISTS (SELECT FROM {schema}.job_executions AS q WHERE q.job_id = $1 AND q.queued) AS held
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (
    SELECT e.id, e.reason, e.missed_from, e.scheduled_at
    FROM {schema}.job_executions AS e
    WHERE e.job_id = $1::text AND e.missed_from IS NOT NULL
    ORDER BY e.scheduled_at DESC
    LIMIT 1
) AS r ON true
