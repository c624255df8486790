-- R1: the first attempts of schedules' occurrences, each on its own, in one statement.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::timestamptz[], $8::integer[], $9::text[], $10::boolean[], $11::bigint[], $12::uuid[], $13::uuid[])
         WITH ORDINALITY
         AS asked (claim_id, job_id, revision_id, occurrence, scheduled_at, not_before,
                   deadline, max_attempts, overlap, rerun_on_crash, lease_ms, instance_id, for_instance, nth)
), state AS MATERIALIZED (
    SELECT s.job_id, s.revision_id, s.watermark, s.paused_at, s.enabled
    FROM {schema}.job_states AS s
    WHERE s.job_id = ANY ($2)
    ORDER BY s.job_id
    FOR SHARE {skip_locked}
), now AS MATERIALIZED (
    -- The clock is read once the locks are there, and once for what is asked and what is written.
    SELECT clock_timestamp() AS at, count(*) AS locked FROM state
), allowed AS MATERIALIZED (
    SELECT a.*, now.at
    FROM asked AS a
    JOIN state AS s USING (job_id)
    CROSS JOIN now
    WHERE s.revision_id = a.revision_id
      AND s.paused_at IS NULL AND s.enabled
      AND a.scheduled_at > s.watermark
      AND a.not_before <= now.at + interval '50 milliseconds'
      AND a.deadline > now.at
      AND (a.overlap = 'allow'
           OR NOT EXISTS (SELECT FROM {schema}.job_executions AS h WHERE h.job_id = a.job_id AND h.holds_key
                                AND h.for_instance IS NOT DISTINCT FROM a.for_instance)
              AND NOT EXISTS (SELECT FROM {schema}.job_executions AS q WHERE q.job_id = a.job_id AND q.queued
                                AND q.for_instance IS NOT DISTINCT FROM a.for_instance))
), started AS (
    INSERT INTO {schema}.job_executions AS e
        (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, started_at,
         holds_key, claim_id, fence, instance_id, for_instance, created_at)
    SELECT a.job_id, a.occurrence, 1, a.max_attempts, 'schedule', 'running', a.scheduled_at, a.not_before, a.at,
           a.overlap <> 'allow', a.claim_id, nextval('{schema}.execution_fences'), a.instance_id, a.for_instance, a.at
    FROM allowed AS a
    -- Two batches wait for each other's rows in one order.
    ORDER BY a.job_id, a.scheduled_at
    ON CONFLICT DO NOTHING
    RETURNING e.claim_id, e.id, e.fence, e.started_at,
        -- The row holds the key now: whoever overtook it has ended.
        (e.holds_key AND pg_sequence_last_value('{schema}.execution_fences'::regclass) > e.fence
         AND {schema}.fence_is_overtaken(e.job_id, e.fence)) AS overtaken
), leased AS (
    INSERT INTO {schema}.execution_leases (execution_id, instance_id, fence, expires_at, ttl_ms, rerun_on_crash)
    -- A claim may be in the batch twice.
    SELECT DISTINCT ON (st.id) st.id, a.instance_id, st.fence, clock_timestamp() + a.lease_ms * interval '1 millisecond',
        a.lease_ms, a.rerun_on_crash
    FROM started AS st
    JOIN asked AS a USING (claim_id)
)
SELECT a.nth, s.job_id IS NOT NULL AS seen, st.id, st.fence, st.started_at, st.overtaken
FROM asked AS a
LEFT JOIN state AS s USING (job_id)
LEFT JOIN started AS st USING (claim_id)
ORDER BY a.nth
