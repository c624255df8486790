-- The request is kept on the lease, where the next renewal finds it (R3).
UPDATE {schema}.execution_leases AS l
SET cancel_requested_at = coalesce(l.cancel_requested_at, clock_timestamp())
WHERE l.execution_id = $1::bigint
RETURNING l.execution_id, (SELECT e.job_id FROM {schema}.job_executions AS e WHERE e.id = l.execution_id) AS job_id
