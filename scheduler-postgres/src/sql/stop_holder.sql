-- R17, `cancel_running`: the holder is asked to stop; one that is a waiting retry is cancelled at once, and answered.
WITH holder AS MATERIALIZED (
    SELECT h.id, h.status FROM {schema}.job_executions AS h
    WHERE h.job_id = $1::text AND h.holds_key AND h.for_instance IS NOT DISTINCT FROM $2::uuid
), cancelled AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'cancelled', reason = 'superseded', holds_key = false,
        finished_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM holder
    WHERE e.id = holder.id AND e.status = 'pending'
    RETURNING e.id
), asked AS (
    UPDATE {schema}.execution_leases AS l
    SET cancel_requested_at = coalesce(l.cancel_requested_at, clock_timestamp())
    FROM holder
    WHERE l.execution_id = holder.id
)
SELECT c.id FROM cancelled AS c
