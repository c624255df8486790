-- R17, `cancel_running`: who holds a key that a row is queued for is asked to stop, once; a waiting retry is cancelled at
-- once. What is locked is asked for again at the next look.
WITH state AS MATERIALIZED (
    SELECT s.job_id, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id = ANY ($1::text[])
      AND EXISTS (SELECT FROM {schema}.job_executions AS q WHERE q.job_id = s.job_id AND q.queued)
    ORDER BY s.job_id
    FOR UPDATE OF s SKIP LOCKED
), holder AS MATERIALIZED (
    SELECT h.id
    FROM state AS s
    JOIN {schema}.job_executions AS q ON q.job_id = s.job_id AND q.queued
    JOIN {schema}.job_executions AS h
         ON h.job_id = s.job_id AND h.holds_key AND h.for_instance IS NOT DISTINCT FROM q.for_instance
    WHERE s.is_scheduled OR q.origin IN ('manual', 'backfill')
), waiting AS MATERIALIZED (
    SELECT e.id
    FROM {schema}.job_executions AS e
    JOIN holder USING (id)
    WHERE e.status = 'pending'
    ORDER BY e.id
    FOR NO KEY UPDATE OF e SKIP LOCKED
), lease AS MATERIALIZED (
    SELECT l.execution_id
    FROM {schema}.execution_leases AS l
    JOIN holder ON holder.id = l.execution_id
    WHERE l.cancel_requested_at IS NULL
    ORDER BY l.execution_id
    FOR UPDATE OF l SKIP LOCKED
), cancelled AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'cancelled', reason = 'superseded', holds_key = false,
        finished_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM waiting
    WHERE e.id = waiting.id AND e.status = 'pending'
    RETURNING e.id
), asked AS (
    UPDATE {schema}.execution_leases AS l
    SET cancel_requested_at = clock_timestamp()
    FROM lease
    WHERE l.execution_id = lease.execution_id
    RETURNING l.execution_id AS id
)
SELECT id, true AS is_over FROM cancelled
UNION ALL
SELECT id, false FROM asked
