-- R9: outcomes by compare-and-set; the leases go and the next attempts come in the same commit.
--
-- Linear in the batch as `claim.sql` is: rows by lists of ids, everything else by FULL JOIN.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[],
                $8::bigint[], $9::boolean[])
         WITH ORDINALITY
         AS asked (id, fence, status, reason, message, error_trace, result_data, next_after_ms, next_holds_key, nth)
), locked AS MATERIALIZED (
    SELECT e.id, e.fence, e.holds_key
    FROM {schema}.job_executions AS e
    WHERE e.id = ANY ($1)
      AND e.status = 'running'
      -- R24: a run that others run after ends alone, their states locked first.
      AND ($10::boolean OR e.job_id NOT IN (SELECT unnest(r.upstreams) FROM {schema}.job_revisions AS r
                                            WHERE r.valid_to IS NULL AND r.upstreams IS NOT NULL))
    ORDER BY e.id
    FOR NO KEY UPDATE OF e {skip_locked}
), joined AS MATERIALIZED (
    -- One of another fence is nobody's here: `holds_key` is unknown.
    SELECT a.*, k.holds_key
    FROM asked AS a
    FULL JOIN locked AS k USING (id, fence)
), lease AS MATERIALIZED (
    SELECT l.execution_id AS id, l.cancel_requested_at IS NOT NULL AS cancel_requested
    FROM {schema}.execution_leases AS l
    WHERE l.execution_id = ANY (ARRAY (SELECT j.id FROM joined AS j WHERE j.nth IS NOT NULL AND j.holds_key IS NOT NULL))
    ORDER BY l.execution_id
    FOR UPDATE OF l
), released AS (
    DELETE FROM {schema}.execution_leases AS l
    WHERE l.execution_id = ANY (ARRAY (SELECT lease.id FROM lease))
), outcome AS MATERIALIZED (
    SELECT j.*, coalesce(lease.cancel_requested, false) AND j.status <> 'succeeded' AS cancelled, clock_timestamp() AS at
    FROM joined AS j
    FULL JOIN lease USING (id)
), ended AS (
    UPDATE {schema}.job_executions AS e
    SET status = CASE WHEN o.cancelled THEN 'cancelled' ELSE o.status END,
        success = o.status = 'succeeded',
        reason = CASE WHEN o.cancelled THEN 'by_request' ELSE o.reason END,
        message = o.message, error_trace = o.error_trace, result_data = o.result_data,
        finished_at = greatest(o.at, e.started_at),
        duration_seconds = least(9999999.999, greatest(0, extract(epoch FROM o.at - e.started_at))),
        holds_key = false, updated_at = o.at
    FROM outcome AS o
    -- The rows are locked: that they still run needs no second look, and would make the planner expect one row.
    WHERE e.id = o.id AND o.nth IS NOT NULL AND o.holds_key IS NOT NULL
    RETURNING o.nth, o.at, o.cancelled, o.next_after_ms, o.next_holds_key AND o.holds_key AS next_holds_key,
        e.id, e.job_id, e.occurrence, e.attempt, e.max_attempts, e.origin, e.status, e.scheduled_at,
        e.request_hash, e.triggered_by, e.params, e.upstream_results, e.traceparent, e.tracestate, e.for_instance
), next AS (
    -- Reads what `ended` wrote, so the key is free when its holder's successor asks for it.
    INSERT INTO {schema}.job_executions AS n
        (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, holds_key,
         request_hash, triggered_by, params, upstream_results, traceparent, tracestate, for_instance, created_at)
    SELECT d.job_id, d.occurrence, d.attempt + 1, d.max_attempts, d.origin, 'pending', d.scheduled_at,
           d.at + d.next_after_ms * interval '1 millisecond', d.next_holds_key,
           d.request_hash, d.triggered_by, d.params, d.upstream_results, d.traceparent, d.tracestate, d.for_instance, d.at
    FROM ended AS d
    WHERE d.next_after_ms IS NOT NULL AND NOT d.cancelled AND d.attempt < d.max_attempts
    RETURNING n.id, n.job_id, n.occurrence, n.attempt - 1 AS attempt
)
SELECT d.nth, d.status, n.id AS next_id
FROM ended AS d
FULL JOIN next AS n USING (job_id, occurrence, attempt)
ORDER BY d.nth
