SELECT s.job_id, s.revision_id, s.enabled, s.watermark, s.paused_at, s.paused_by, s.pause_reason, s.pause_until
FROM {schema}.job_states AS s
WHERE s.job_id = ANY ($1::text[])
ORDER BY s.job_id
