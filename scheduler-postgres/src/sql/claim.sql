-- R1: the first attempts of schedules' occurrences, each on its own, in one statement.
--
-- Everything that a batch asks is joined by FULL JOIN, which can't become a nested loop, and conditions come after it: the
-- statement stays linear in the batch, whatever the planner takes the tables for.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::timestamptz[], $8::integer[], $9::text[], $10::boolean[], $11::bigint[], $12::uuid[], $13::uuid[])
         WITH ORDINALITY
         AS asked (claim_id, job_id, revision_id, occurrence, scheduled_at, not_before,
                   deadline, max_attempts, overlap, rerun_on_crash, lease_ms, instance_id, for_instance, nth)
), state AS MATERIALIZED (
    SELECT s.job_id, s.revision_id AS current_revision, s.watermark, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT unnest($2))
    ORDER BY s.job_id
    -- Whoever pauses, switches or decides a job waits for this; a watermark that only follows its rows does not.
    FOR KEY SHARE {skip_locked}
), now AS MATERIALIZED (
    -- The clock is read once the locks are there, and once for what is asked and what is written.
    SELECT clock_timestamp() AS at, count(*) AS locked FROM state
), busy AS MATERIALIZED (
    -- Which keys of a job are held or waited for: its own, and each instance's.
    SELECT h.job_id::text AS job_id, array_agg(coalesce(h.for_instance, '00000000-0000-0000-0000-000000000000')) AS keys
    FROM (SELECT k.job_id, k.for_instance FROM {schema}.job_executions AS k WHERE k.holds_key AND k.job_id = ANY ($2)
          UNION ALL
          SELECT q.job_id, q.for_instance FROM {schema}.job_executions AS q WHERE q.queued AND q.job_id = ANY ($2)) AS h
    GROUP BY h.job_id
), joined AS MATERIALIZED (
    SELECT a.*, s.current_revision, s.watermark, s.is_scheduled, b.keys
    FROM asked AS a
    FULL JOIN state AS s USING (job_id)
    FULL JOIN busy AS b USING (job_id)
), allowed AS MATERIALIZED (
    SELECT a.*, now.at,
           a.overlap <> 'allow'
           AND coalesce(coalesce(a.for_instance, '00000000-0000-0000-0000-000000000000') = ANY (a.keys), false) AS is_held
    FROM joined AS a
    CROSS JOIN now
    WHERE a.current_revision = a.revision_id
      AND a.is_scheduled
      AND a.scheduled_at > a.watermark
      AND a.not_before <= now.at + interval '50 milliseconds'
      AND a.deadline > now.at
), started AS (
    INSERT INTO {schema}.job_executions AS e
        (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, started_at,
         holds_key, claim_id, fence, instance_id, for_instance, created_at)
    SELECT a.job_id, a.occurrence, 1, a.max_attempts, 'schedule', 'running', a.scheduled_at, a.not_before,
           -- A claim may come a little before the instant at which its body starts.
           greatest(a.at, a.not_before),
           a.overlap <> 'allow', a.claim_id, nextval('{schema}.execution_fences'), a.instance_id, a.for_instance, a.at
    FROM allowed AS a
    WHERE NOT a.is_held
    -- Two batches wait for each other's rows in one order.
    ORDER BY a.job_id, a.scheduled_at
    ON CONFLICT DO NOTHING
    RETURNING e.claim_id, e.id, e.fence, e.started_at
), skipped AS (
    -- R17: what meets a holder under the policy that most have, at once; every other case is asked for next.
    INSERT INTO {schema}.job_executions AS e
        (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at,
         claim_id, for_instance, created_at)
    SELECT a.job_id, a.occurrence, 1, a.max_attempts, 'schedule', 'skipped', 'overlap', a.scheduled_at, a.not_before, a.at,
           a.claim_id, a.for_instance, a.at
    FROM allowed AS a
    WHERE a.is_held AND a.overlap = 'skip' AND a.not_before <= a.at
    ORDER BY a.job_id, a.scheduled_at
    ON CONFLICT DO NOTHING
    RETURNING e.claim_id, e.id AS skipped_id
), answered AS MATERIALIZED (
    SELECT a.nth, a.job_id, a.overlap, a.current_revision, a.instance_id, a.lease_ms, a.rerun_on_crash,
           st.id, st.fence, st.started_at, sk.skipped_id
    FROM joined AS a
    FULL JOIN started AS st USING (claim_id)
    FULL JOIN skipped AS sk USING (claim_id)
), leased AS (
    INSERT INTO {schema}.execution_leases (execution_id, instance_id, fence, expires_at, ttl_ms, rerun_on_crash)
    -- A claim may be in the batch twice.
    SELECT DISTINCT ON (a.id) a.id, a.instance_id, a.fence, clock_timestamp() + a.lease_ms * interval '1 millisecond',
        a.lease_ms, a.rerun_on_crash
    FROM answered AS a
    WHERE a.id IS NOT NULL
), ended AS MATERIALIZED (
    -- What ran and ended while these waited for their keys, read once they have them.
    SELECT f.job_id, f.fence AS highest
    FROM (SELECT CASE WHEN count(a.id) > 0 THEN statement_timestamp() END AS since FROM answered AS a) AS first
    CROSS JOIN LATERAL {schema}.fences_ended_since(first.since) AS f
)
SELECT a.nth, a.current_revision IS NOT NULL AS seen, a.id, a.fence, a.started_at, a.skipped_id,
       a.overlap <> 'allow' AND e.highest > a.fence AS overtaken
FROM answered AS a
FULL JOIN ended AS e USING (job_id)
WHERE a.nth IS NOT NULL
ORDER BY a.nth
