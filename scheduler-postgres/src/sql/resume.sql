-- R23: the pause is over; the state is locked.
UPDATE {schema}.job_states AS s
SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, pause_until = NULL
WHERE s.job_id = $1::text
RETURNING {s.columns}
