-- R24: what runs after these executions, whose occurrences are over; the dependants' states are locked, and this is a later
-- statement, which sees what has ended before that.
WITH ended AS (
    SELECT e.id, e.job_id::text AS job_id, e.scheduled_at, e.triggered_by, e.traceparent, e.tracestate,
           regexp_replace(e.occurrence, '^d:', '') AS root
    FROM {schema}.job_executions AS e
    WHERE e.id = ANY ($1::bigint[])
), named AS (
    SELECT DISTINCT ON (r.job_id, d.root)
           r.job_id, r.upstreams, d.root, d.id AS upstream_id, d.scheduled_at, d.triggered_by,
           d.traceparent, d.tracestate,
           coalesce((r.policies ->> 'retries')::bigint, 0) AS retries
    FROM ended AS d
    JOIN {schema}.job_revisions AS r ON r.upstreams @> ARRAY[d.job_id]
    WHERE r.valid_to IS NULL AND r.upstreams IS NOT NULL AND r.enabled
      AND EXISTS (SELECT FROM {schema}.instances AS i WHERE i.announced @> ARRAY[r.id])
    ORDER BY r.job_id, d.root, d.id DESC
)
INSERT INTO {schema}.job_executions AS n
    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at,
     upstream_execution_id, upstream_results, triggered_by, traceparent, tracestate, created_at)
SELECT m.job_id, 'd:' || m.root, coalesce(own.attempt, 0) + 1,
       least(coalesce(own.attempt, 0) + 1 + m.retries, 2147483647), 'dependency',
       CASE WHEN before.succeeded THEN 'pending' ELSE 'skipped' END,
       CASE WHEN NOT before.succeeded THEN 'upstream' END,
       m.scheduled_at, greatest(now.at, m.scheduled_at), CASE WHEN NOT before.succeeded THEN now.at END,
       m.upstream_id, CASE WHEN before.succeeded THEN before.results END, m.triggered_by,
       m.traceparent, m.tracestate, now.at
FROM named AS m
CROSS JOIN LATERAL (
    SELECT coalesce(bool_and(newest.status NOT IN ('pending', 'running')), false) AND count(newest.status) = count(*) AS over,
           bool_and(newest.status = 'succeeded') AS succeeded,
           json_object_agg(up.job_id, newest.result_data) AS results
    FROM unnest(m.upstreams) AS up (job_id)
    LEFT JOIN LATERAL (
        SELECT e.status, e.result_data
        FROM {schema}.job_executions AS e
        WHERE e.job_id = up.job_id AND e.occurrence IN (m.root, 'd:' || m.root)
        ORDER BY e.id DESC
        LIMIT 1
    ) AS newest ON true
) AS before
LEFT JOIN LATERAL (
    SELECT e.attempt, e.reason
    FROM {schema}.job_executions AS e
    WHERE e.job_id = m.job_id AND e.occurrence = 'd:' || m.root
    ORDER BY e.attempt DESC
    LIMIT 1
) AS own ON true
CROSS JOIN (SELECT clock_timestamp() AS at) AS now
WHERE before.over AND (own.attempt IS NULL OR own.reason = 'upstream' AND before.succeeded)
ORDER BY m.job_id
ON CONFLICT DO NOTHING
RETURNING n.id, n.status
