-- R12: rows that wait to be caught up, and ranges that never run; the jobs' states are locked.
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at,
     missed_from, missed_count, created_at)
SELECT a.job_id, a.occurrence, 1, a.max_attempts, a.origin, a.status, a.reason, a.scheduled_at, a.not_before,
       CASE WHEN a.status <> 'pending' THEN clock_timestamp() END, a.missed_from, a.missed_count, clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
            $9::bigint[], $10::timestamptz[])
     WITH ORDINALITY
     AS a (job_id, occurrence, max_attempts, origin, status, reason, scheduled_at, missed_from, missed_count, not_before, nth)
ORDER BY a.nth
ON CONFLICT DO NOTHING
RETURNING e.job_id, e.occurrence
