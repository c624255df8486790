-- R12 passes over a job that another instance has locked; who pauses or resumes it waits.
SELECT {s.columns}
FROM {schema}.job_states AS s
WHERE s.job_id = $1::text
FOR UPDATE {skip_locked}
