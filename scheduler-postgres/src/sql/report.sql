-- What executions say: their lines by place, how many there were, and how far they are. Locks no execution's row (R3), and
-- keeps nothing of one that is not there. Written twice, it is there once.
WITH told AS MATERIALIZED (
    SELECT t.*
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS t (execution_id, logged, done, total)
    WHERE EXISTS (SELECT FROM {schema}.job_executions AS e WHERE e.id = t.execution_id)
), kept AS (
    INSERT INTO {schema}.execution_reports AS r (execution_id, logged, done, total)
    SELECT t.execution_id, t.logged, t.done, t.total
    FROM told AS t
    ORDER BY t.execution_id
    ON CONFLICT (execution_id) DO UPDATE
    SET logged = greatest(r.logged, excluded.logged),
        done = coalesce(excluded.done, r.done), total = coalesce(excluded.total, r.total)
)
INSERT INTO {schema}.execution_logs AS l (execution_id, place, number, at, level, target, message)
SELECT DISTINCT ON (n.execution_id, n.place) n.execution_id, n.place, n.number, n.at, n.level, n.target, n.message
FROM unnest($5::bigint[], $6::integer[], $7::bigint[], $8::timestamptz[], $9::text[], $10::text[], $11::text[])
     AS n (execution_id, place, number, at, level, target, message)
JOIN told AS t USING (execution_id)
ORDER BY n.execution_id, n.place, n.number DESC
ON CONFLICT (execution_id, place) DO UPDATE
SET number = excluded.number, at = excluded.at, level = excluded.level, target = excluded.target, message = excluded.message
WHERE l.number < excluded.number
