-- R6, the rows locked by an earlier statement: where the lease is still expired it goes, and the row is abandoned.
WITH lease AS MATERIALIZED (
    SELECT l.execution_id, l.expires_at < clock_timestamp() AS expired, l.rerun_on_crash,
           l.cancel_requested_at IS NOT NULL AS cancel_requested
    FROM {schema}.execution_leases AS l
    WHERE l.execution_id = ANY ($1::bigint[])
    ORDER BY l.execution_id
    FOR UPDATE OF l
), gone AS (
    DELETE FROM {schema}.execution_leases AS l
    USING lease
    WHERE l.execution_id = lease.execution_id AND lease.expired
), lost AS MATERIALIZED (
    SELECT e.id, e.holds_key, coalesce(lease.rerun_on_crash AND NOT lease.cancel_requested, false) AS rerun,
           clock_timestamp() AS at
    FROM {schema}.job_executions AS e
    LEFT JOIN lease ON lease.execution_id = e.id
    WHERE e.id = ANY ($1) AND e.status = 'running' AND coalesce(lease.expired, true)
), abandoned AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'abandoned', holds_key = false, finished_at = lost.at, updated_at = lost.at,
        duration_seconds = least(9999999.999, greatest(0, extract(epoch FROM lost.at - e.started_at)))
    FROM lost
    WHERE e.id = lost.id AND e.status = 'running'
    RETURNING e.id, e.job_id, e.occurrence, e.attempt, e.max_attempts, e.origin, e.scheduled_at, e.request_hash,
        e.triggered_by, e.params, e.upstream_results, e.traceparent, e.tracestate,
        e.instance_id, e.for_instance, lost.holds_key AS held_key, lost.rerun, lost.at
), next AS (
    INSERT INTO {schema}.job_executions AS n
        (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, holds_key,
         request_hash, triggered_by, params, upstream_results, traceparent, tracestate, for_instance, created_at)
    SELECT a.job_id, a.occurrence, a.attempt + 1, a.max_attempts, a.origin, 'pending', a.scheduled_at, a.at,
           a.held_key, a.request_hash, a.triggered_by, a.params, a.upstream_results, a.traceparent, a.tracestate,
           a.for_instance, a.at
    FROM abandoned AS a
    WHERE a.rerun AND a.attempt < a.max_attempts
    RETURNING n.id, n.job_id, n.occurrence, n.attempt
)
SELECT a.id, a.job_id, a.occurrence, a.attempt, a.instance_id, n.id AS next_id
FROM abandoned AS a
LEFT JOIN next AS n ON n.job_id = a.job_id AND n.occurrence = a.occurrence AND n.attempt = a.attempt + 1
ORDER BY a.id
