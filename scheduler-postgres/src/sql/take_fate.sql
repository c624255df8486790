-- Why rows were not taken (R2); a repetition finds its own run (R8).
SELECT a.nth, {e.columns},
       coalesce(e.claim_id = a.claim_id AND e.holds_key AND e.status = 'running'
                AND {schema}.fence_is_overtaken(e.job_id, e.fence), false) AS overtaken,
       coalesce((s.paused_at IS NOT NULL OR NOT s.enabled) AND e.origin NOT IN ('manual', 'backfill'), false) AS paused,
       EXISTS (SELECT FROM {schema}.job_executions AS h
               WHERE h.job_id = e.job_id AND h.holds_key AND h.id <> e.id
                 AND h.for_instance IS NOT DISTINCT FROM a.for_instance) AS held,
       coalesce(e.for_instance <> a.instance_id, false) AS is_anothers,
       coalesce(a.at_once <= (SELECT count(*) FROM {schema}.job_executions AS r
                              WHERE r.job_id = e.job_id AND r.status = 'running'
                                AND r.origin IN ('catch_up', 'backfill')), false) AS crowded,
       ceil(extract(epoch FROM e.not_before - clock_timestamp()) * 1000)::bigint AS remaining_ms
FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[])
     WITH ORDINALITY AS a (id, claim_id, instance_id, for_instance, at_once, nth)
JOIN {schema}.job_executions AS e USING (id)
LEFT JOIN {schema}.job_states AS s USING (job_id)
ORDER BY a.nth
