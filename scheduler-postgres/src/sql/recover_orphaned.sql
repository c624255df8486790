-- R6: leases whose rows were deleted by hand: nothing is recovered of them, and they would be found at each look.
DELETE FROM {schema}.execution_leases AS l
WHERE l.execution_id = ANY ($1::bigint[])
  AND l.expires_at < clock_timestamp()
  AND NOT EXISTS (SELECT FROM {schema}.job_executions AS e WHERE e.id = l.execution_id)
