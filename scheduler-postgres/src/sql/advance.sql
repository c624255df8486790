-- R12: watermarks follow rows that are there, where nothing has changed since they were looked at. Whoever claims is not held
-- up by it; whom another has locked is left for the next look.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]) AS a (job_id, revision_id, seen, new)
), locked AS MATERIALIZED (
    SELECT s.job_id, s.revision_id, s.watermark AS seen, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT unnest($1))
    ORDER BY s.job_id
    FOR NO KEY UPDATE OF s SKIP LOCKED
), joined AS MATERIALIZED (
    SELECT a.job_id, a.new, l.is_scheduled
    FROM asked AS a
    FULL JOIN locked AS l USING (job_id, revision_id, seen)
)
UPDATE {schema}.job_states AS s
SET watermark = j.new
FROM joined AS j
WHERE s.job_id = j.job_id AND j.is_scheduled
RETURNING s.job_id
