-- R12: the newest range row covers more.
UPDATE {schema}.job_executions AS e
SET occurrence = $2::text, scheduled_at = $3::timestamptz, missed_count = e.missed_count + $4::bigint,
    updated_at = clock_timestamp()
WHERE e.id = $1::bigint AND e.missed_from IS NOT NULL
RETURNING e.id
