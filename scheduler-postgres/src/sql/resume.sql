-- R23: these pauses are over; the states are locked.
UPDATE {schema}.job_states AS s
SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, pause_until = NULL
WHERE s.job_id IN (SELECT unnest($1::text[]))
RETURNING {s.columns}
