-- R17: what becomes of occurrences that meet a holder or a queued row, under all of R1's other conditions; joined as in
-- `claim.sql`, and for the same reason.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
                $8::integer[], $9::uuid[], $10::text[], $11::text[])
         AS a (claim_id, job_id, revision_id, occurrence, scheduled_at, not_before, deadline, max_attempts, for_instance,
               status, reason)
), state AS MATERIALIZED (
    SELECT s.job_id, s.revision_id AS current_revision, s.watermark, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT unnest($2))
    ORDER BY s.job_id
    FOR KEY SHARE
), now AS MATERIALIZED (
    SELECT clock_timestamp() AS at, count(*) AS locked FROM state
), busy AS MATERIALIZED (
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
)
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at,
     queued, claim_id, for_instance, created_at)
SELECT a.job_id, a.occurrence, 1, a.max_attempts, 'schedule', a.status, a.reason, a.scheduled_at, a.not_before,
       CASE WHEN a.status = 'skipped' THEN now.at END, a.status = 'pending', a.claim_id, a.for_instance, now.at
FROM joined AS a
CROSS JOIN now
WHERE a.current_revision = a.revision_id
  AND a.is_scheduled
  AND a.scheduled_at > a.watermark
  AND a.not_before <= now.at + interval '50 milliseconds'
  AND a.deadline > now.at
  -- One that would wait in a full queue is asked for as `skipped` next.
  AND (a.status = 'pending' OR coalesce(a.for_instance, '00000000-0000-0000-0000-000000000000') = ANY (a.keys))
ORDER BY a.job_id, a.scheduled_at
ON CONFLICT DO NOTHING
RETURNING e.claim_id, e.id, e.status, e.reason
