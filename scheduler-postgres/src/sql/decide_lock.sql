-- R12 passes over a job that another instance has locked; who pauses or resumes it waits.
SELECT s.job_id, s.revision_id, s.enabled, s.watermark, s.paused_at, s.paused_by, s.pause_reason, s.pause_until
FROM {schema}.job_states AS s
WHERE s.job_id = $1::text
FOR UPDATE {skip_locked}
