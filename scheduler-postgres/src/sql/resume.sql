-- R23: the pause is over; the state is locked.
UPDATE {schema}.job_states AS s
SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, pause_until = NULL
WHERE s.job_id = $1::text
RETURNING s.job_id, s.revision_id, s.enabled, s.watermark, s.paused_at, s.paused_by, s.pause_reason, s.pause_until
