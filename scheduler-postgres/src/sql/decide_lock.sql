-- R12 passes over jobs that another instance has locked; who pauses or resumes one waits.
SELECT {s.columns}
FROM {schema}.job_states AS s
WHERE s.job_id IN (SELECT unnest($1::text[]))
ORDER BY s.job_id
FOR UPDATE {skip_locked}
