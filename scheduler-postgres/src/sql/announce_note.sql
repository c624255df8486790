-- Which revisions the instance has ($2), current or not, and which current ones it has not ($3). At its start ($4) it has
-- said of none of them that it has it, and one trip after another only adds to them.
INSERT INTO {schema}.instances AS i (id, host, pid, version, clock_offset_ms, started_at, seen_at, announced)
VALUES ($1::uuid, '', 0, '', 0, clock_timestamp(), clock_timestamp(), $2::bigint[])
ON CONFLICT (id) DO UPDATE
SET seen_at = clock_timestamp(),
    announced = CASE WHEN $4::boolean AND cardinality($3::bigint[]) = 0 THEN i.announced || excluded.announced
                     ELSE ARRAY (SELECT unnest(i.announced || excluded.announced) EXCEPT SELECT unnest($3)) END
