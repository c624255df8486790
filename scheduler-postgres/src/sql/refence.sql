-- R1: rows that hold their key, whose number is below one given before, draw again.
WITH overtaken AS MATERIALIZED (
    SELECT e.id, nextval('{schema}.execution_fences') AS fence
    FROM {schema}.job_executions AS e
    WHERE e.id = ANY ($1::bigint[]) AND e.status = 'running' AND e.holds_key
), row AS (
    UPDATE {schema}.job_executions AS e
    SET fence = o.fence
    FROM overtaken AS o
    WHERE e.id = o.id AND e.status = 'running'
    RETURNING e.id, e.fence
)
UPDATE {schema}.execution_leases AS l
SET fence = r.fence
FROM row AS r
WHERE l.execution_id = r.id
RETURNING l.execution_id AS id, l.fence
