-- R26: what waits for the instance alone ends with it.
WITH cancelled AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'cancelled', reason = 'shutdown', holds_key = false, queued = false,
        finished_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE e.status = 'pending' AND e.for_instance = $1::uuid
)
DELETE FROM {schema}.instances AS i WHERE i.id = $1
