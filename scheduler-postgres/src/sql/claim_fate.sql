-- Why claims inserted nothing (R1), "already decided" before all else; a repetition finds its own row (R8).
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
         WITH ORDINALITY
         AS a (claim_id, job_id, revision_id, occurrence, scheduled_at, not_before, deadline, nth)
), own AS MATERIALIZED (
    SELECT DISTINCT ON (a.nth) a.nth, e.id, e.job_id, e.status, e.reason, e.fence, e.started_at, e.holds_key,
           e.claim_id IS NOT DISTINCT FROM a.claim_id AS mine
    FROM asked AS a
    JOIN {schema}.job_executions AS e ON e.job_id = a.job_id AND e.occurrence = a.occurrence AND e.missed_from IS NULL
    ORDER BY a.nth, e.claim_id IS NOT DISTINCT FROM a.claim_id DESC, e.attempt
), state AS MATERIALIZED (
    SELECT s.job_id, s.revision_id AS current_revision, s.watermark, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT unnest($2))
), joined AS MATERIALIZED (
    SELECT a.*, s.current_revision, s.watermark, s.is_scheduled
    FROM asked AS a
    FULL JOIN state AS s USING (job_id)
), found AS MATERIALIZED (
    SELECT a.*, o.id, o.status, o.reason, o.fence, o.started_at, o.holds_key, o.mine
    FROM joined AS a
    FULL JOIN own AS o USING (nth)
)
SELECT f.nth, f.id, f.status, f.reason, f.fence, f.started_at, f.mine,
       coalesce(f.mine AND f.holds_key AND f.status = 'running'
                AND EXISTS (SELECT FROM {schema}.fences_ended_since(f.started_at - interval '100 milliseconds') AS o
                            WHERE o.job_id = f.job_id AND o.fence > f.fence), false) AS overtaken,
       CASE WHEN f.id IS NOT NULL OR f.watermark >= f.scheduled_at THEN true
            ELSE EXISTS (SELECT FROM {schema}.job_executions AS r
                         WHERE r.job_id = f.job_id AND r.missed_from <= f.scheduled_at AND r.scheduled_at >= f.scheduled_at)
       END AS passed,
       coalesce(f.current_revision = f.revision_id, false) AS current, f.current_revision IS NOT NULL AS known,
       coalesce(NOT f.is_scheduled, false) AS paused,
       ceil(extract(epoch FROM f.not_before - clock_timestamp()) * 1000)::bigint AS remaining_ms,
       f.deadline <= clock_timestamp() AS late
FROM found AS f
WHERE f.nth IS NOT NULL
ORDER BY f.nth
