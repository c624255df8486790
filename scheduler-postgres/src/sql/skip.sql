-- An occurrence that is still to come never runs: its claim finds this row. The job's state is locked.
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at, message,
     triggered_by, created_at)
SELECT $1::text, $2::text, 1, 1, 'schedule', 'skipped', 'by_request', $3::timestamptz, $3, now.at, $4::text, $5::text,
       now.at
FROM (SELECT clock_timestamp() AS at) AS now
WHERE $3 > now.at
ON CONFLICT DO NOTHING
RETURNING {e.columns}
