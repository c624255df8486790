-- R12: what was decided of these jobs lies at or below their watermarks; the states are locked.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS a (job_id, watermark)
)
UPDATE {schema}.job_states AS s
SET watermark = a.watermark
FROM asked AS a
WHERE s.job_id = a.job_id AND s.watermark < a.watermark
