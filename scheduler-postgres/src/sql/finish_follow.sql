-- R8: the next attempt after a claim without a body that recovery was first to abandon, the row locked.
WITH told AS (
    UPDATE {schema}.job_executions AS e
    SET reason = $2::text, message = $3::text, updated_at = clock_timestamp()
    WHERE e.id = $1::bigint AND e.status = 'abandoned'
    RETURNING e.job_id, e.occurrence, e.attempt, e.max_attempts, e.origin, e.scheduled_at,
        e.request_hash, e.triggered_by, e.params, e.upstream_results, e.traceparent, e.tracestate, e.for_instance,
        e.updated_at AS at
)
INSERT INTO {schema}.job_executions AS n
    (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, holds_key,
     request_hash, triggered_by, params, upstream_results, traceparent, tracestate, for_instance, created_at)
SELECT t.job_id, t.occurrence, t.attempt + 1, t.max_attempts, t.origin, 'pending', t.scheduled_at,
       t.at + $4::bigint * interval '1 millisecond', false,
       t.request_hash, t.triggered_by, t.params, t.upstream_results, t.traceparent, t.tracestate, t.for_instance, t.at
FROM told AS t
WHERE $4 IS NOT NULL AND t.attempt < t.max_attempts
RETURNING n.id
