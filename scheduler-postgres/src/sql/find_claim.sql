-- R8: the run that a claim or take made.
SELECT e.id, e.fence, e.started_at, e.status,
       greatest(0, floor(extract(epoch FROM l.expires_at - clock_timestamp()) * 1000))::bigint AS left_ms,
       coalesce(e.holds_key AND e.status = 'running' AND {schema}.fence_is_overtaken(e.job_id, e.fence), false) AS overtaken
FROM {schema}.job_executions AS e
LEFT JOIN {schema}.execution_leases AS l ON l.execution_id = e.id AND l.fence = e.fence
WHERE e.claim_id = $1::uuid AND e.fence IS NOT NULL
