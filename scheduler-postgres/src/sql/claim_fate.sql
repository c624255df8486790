-- Why claims inserted nothing (R1), "already decided" before all else; a repetition finds its own row (R8).
SELECT a.nth,
       own.id, own.status, own.reason, own.fence, own.started_at, own.claim_id = a.claim_id AS mine,
       coalesce(own.claim_id = a.claim_id AND own.holds_key AND own.status = 'running'
                AND {schema}.fence_is_overtaken(own.job_id, own.fence), false) AS overtaken,
       coalesce(s.watermark >= a.scheduled_at, false)
       OR EXISTS (SELECT FROM {schema}.job_executions AS r
                  WHERE r.job_id = a.job_id AND r.missed_from <= a.scheduled_at AND r.scheduled_at >= a.scheduled_at)
           AS passed,
       coalesce(s.revision_id = a.revision_id, false) AS current, s.job_id IS NOT NULL AS known,
       coalesce(s.paused_at IS NOT NULL OR NOT s.enabled, false) AS paused,
       ceil(extract(epoch FROM a.not_before - clock_timestamp()) * 1000)::bigint AS remaining_ms,
       a.deadline <= clock_timestamp() AS late
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
     WITH ORDINALITY
     AS a (claim_id, job_id, revision_id, occurrence, scheduled_at, not_before, deadline, nth)
LEFT JOIN {schema}.job_states AS s USING (job_id)
LEFT JOIN LATERAL (
    SELECT e.* FROM {schema}.job_executions AS e
    WHERE e.job_id = a.job_id AND e.occurrence = a.occurrence
    ORDER BY e.claim_id IS NOT DISTINCT FROM a.claim_id DESC, e.attempt
    LIMIT 1
) AS own ON true
ORDER BY a.nth
