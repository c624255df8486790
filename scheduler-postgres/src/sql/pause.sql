-- R23: the pause begins where what is owed was decided up to; the state is locked.
UPDATE {schema}.job_states AS s
SET paused_at = $2::timestamptz, paused_by = $3::text, pause_reason = $4::text, pause_until = $5::timestamptz
WHERE s.job_id = $1::text
RETURNING {s.columns}
