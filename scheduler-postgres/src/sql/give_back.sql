-- R2: rows that were taken here and can't be read wait again: no body of theirs has started.
WITH given_back AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'pending', holds_key = false, claim_id = NULL, fence = NULL, instance_id = NULL, started_at = NULL,
        updated_at = clock_timestamp()
    WHERE e.id = ANY ($1::bigint[]) AND e.status = 'running'
    RETURNING e.id
)
DELETE FROM {schema}.execution_leases AS l
USING given_back AS g
WHERE l.execution_id = g.id
