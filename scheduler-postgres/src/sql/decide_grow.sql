-- R12: the newest range rows of these jobs cover more.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::bigint[]) AS a (id, occurrence, scheduled_at, added)
)
UPDATE {schema}.job_executions AS e
SET occurrence = a.occurrence, scheduled_at = a.scheduled_at, missed_count = e.missed_count + a.added,
    updated_at = clock_timestamp()
FROM asked AS a
WHERE e.id = a.id AND e.missed_from IS NOT NULL
RETURNING e.id
