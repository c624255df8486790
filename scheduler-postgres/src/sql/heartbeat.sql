-- Also takes those off the list of whom nothing was heard for a day: they were killed.
WITH dead AS MATERIALIZED (
    SELECT i.id FROM {schema}.instances AS i
    WHERE i.seen_at < clock_timestamp() - interval '24 hours' AND i.id <> $1
    ORDER BY i.id
    FOR UPDATE OF i SKIP LOCKED
), gone AS (
    DELETE FROM {schema}.instances AS i USING dead WHERE i.id = dead.id
)
INSERT INTO {schema}.instances AS i (id, host, pid, version, clock_offset_ms, started_at, seen_at, tables_version)
SELECT $1::uuid, $2::text, $3::bigint, $4::text, $5::bigint, now.at, now.at, $6::integer
FROM (SELECT clock_timestamp() AS at) AS now
ON CONFLICT (id) DO UPDATE
SET host = excluded.host, pid = excluded.pid, version = excluded.version,
    clock_offset_ms = excluded.clock_offset_ms, seen_at = excluded.seen_at,
    tables_version = excluded.tables_version
RETURNING i.seen_at AS now
