-- R17: what becomes of occurrences that meet a holder or a queued row, under all of R1's other conditions.
WITH state AS MATERIALIZED (
    SELECT s.job_id, s.revision_id, s.watermark, s.paused_at, s.enabled
    FROM {schema}.job_states AS s
    WHERE s.job_id = ANY ($2::text[])
    ORDER BY s.job_id
    FOR SHARE
)
INSERT INTO {schema}.job_executions AS e
    (job_id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before, finished_at,
     queued, claim_id, for_instance, created_at)
SELECT a.job_id, a.occurrence, 1, a.max_attempts, 'schedule', a.status, a.reason, a.scheduled_at, a.not_before,
       CASE WHEN a.status = 'skipped' THEN clock_timestamp() END, a.status = 'pending', a.claim_id, a.for_instance, clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
            $8::integer[], $9::uuid[], $10::text[], $11::text[])
     AS a (claim_id, job_id, revision_id, occurrence, scheduled_at, not_before, deadline, max_attempts, for_instance,
           status, reason)
JOIN state AS s USING (job_id)
WHERE s.revision_id = a.revision_id
  AND s.paused_at IS NULL AND s.enabled
  AND a.scheduled_at > s.watermark
  AND a.not_before <= clock_timestamp() + interval '50 milliseconds'
  AND a.deadline > clock_timestamp()
  -- One that would wait in a full queue is asked for as `skipped` next.
  AND (a.status = 'pending'
       OR EXISTS (SELECT FROM {schema}.job_executions AS h WHERE h.job_id = a.job_id AND h.holds_key
                    AND h.for_instance IS NOT DISTINCT FROM a.for_instance)
       OR EXISTS (SELECT FROM {schema}.job_executions AS q WHERE q.job_id = a.job_id AND q.queued
                    AND q.for_instance IS NOT DISTINCT FROM a.for_instance))
ORDER BY a.job_id, a.scheduled_at
ON CONFLICT DO NOTHING
RETURNING e.claim_id, e.id, e.status, e.reason
