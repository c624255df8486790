-- R3: extends the leases named, locked in id order; what is not returned is lost.
WITH held AS MATERIALIZED (
    SELECT l.execution_id, a.lease_ms
    FROM {schema}.execution_leases AS l
    JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS a (execution_id, fence, lease_ms) USING (execution_id, fence)
    ORDER BY l.execution_id
    FOR UPDATE OF l
)
UPDATE {schema}.execution_leases AS l
SET expires_at = clock_timestamp() + h.lease_ms * interval '1 millisecond', ttl_ms = h.lease_ms
FROM held AS h
WHERE l.execution_id = h.execution_id
RETURNING l.execution_id, l.fence, l.cancel_requested_at IS NOT NULL AS cancel_requested
