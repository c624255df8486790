-- R20: occurrences that never ran wait to be taken, holding nothing.
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, triggered_by, created_at)
SELECT $1::text, a.occurrence, a.attempt, least(a.attempt::bigint + $5::bigint, 2147483647), 'backfill', 'pending',
       a.scheduled_at, now.at, $6::text, now.at
FROM unnest($2::text[], $3::timestamptz[], $4::integer[]) WITH ORDINALITY AS a (occurrence, scheduled_at, attempt, nth),
     (SELECT clock_timestamp() AS at) AS now
ORDER BY a.nth
ON CONFLICT DO NOTHING
RETURNING e.id, e.occurrence
