-- R12: many jobs at a look: their states, and the rows above their watermarks where they are asked for; nothing is locked.
WITH asked AS MATERIALIZED (
    SELECT a.job_id, true AS with_rows FROM unnest($2::text[]) AS a (job_id)
), state AS MATERIALIZED (
    SELECT {s.columns}
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT unnest($1::text[]))
), now AS MATERIALIZED (
    SELECT clock_timestamp() AS now, clock_timestamp() - $3::bigint * interval '1 millisecond' AS until
), joined AS MATERIALIZED (
    SELECT s.*, a.with_rows
    FROM asked AS a
    FULL JOIN state AS s ON s.job_id = a.job_id
), looked AS MATERIALIZED (
    SELECT j.*, now.now, now.until
    FROM joined AS j
    CROSS JOIN now
    WHERE j.job_id IS NOT NULL
), seen AS MATERIALIZED (
    SELECT j.job_id, rows.scheduled_at, rows.missed_from
    FROM looked AS j
    CROSS JOIN LATERAL (
        -- By the key of the occurrences from the watermark on, a few rows a job: a key has 13 digits from 2001 to 2286, and is
        -- in the order of its instant.
        SELECT array_agg(r.scheduled_at ORDER BY r.scheduled_at) AS scheduled_at,
               array_agg(r.missed_from ORDER BY r.scheduled_at) AS missed_from
        FROM (SELECT e.scheduled_at, e.missed_from
              FROM {schema}.job_executions AS e
              WHERE e.job_id = j.job_id AND e.attempt = 1
                AND e.occurrence >= {schema}.first_key(j.watermark) AND e.occurrence < {schema}.last_key(j.until)
                AND e.scheduled_at > j.watermark AND e.scheduled_at <= j.until
              ORDER BY e.occurrence
              LIMIT $4::bigint) AS r
    ) AS rows
    WHERE j.with_rows
)
SELECT j.*, s.scheduled_at, s.missed_from
FROM looked AS j
FULL JOIN seen AS s ON s.job_id = j.job_id
