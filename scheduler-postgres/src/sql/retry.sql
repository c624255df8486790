-- R20: one more attempt, holding nothing; the row it follows is locked, and the last of its occurrence.
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, request_hash, triggered_by,
     params, upstream_results, traceparent, tracestate, for_instance, created_at)
SELECT o.job_id, o.occurrence, o.attempt + 1, o.attempt + 1, o.origin, 'pending', o.scheduled_at, now.at,
       o.request_hash, o.triggered_by, o.params, o.upstream_results, o.traceparent, o.tracestate, o.for_instance, now.at
FROM {schema}.job_executions AS o
JOIN {schema}.job_states AS s USING (job_id),
     (SELECT clock_timestamp() AS at) AS now
WHERE o.id = $1::bigint
  -- R26: nobody else may run what was one instance's alone.
  AND (o.for_instance IS NULL OR EXISTS (SELECT FROM {schema}.instances AS i WHERE i.id = o.for_instance))
RETURNING {e.columns}
