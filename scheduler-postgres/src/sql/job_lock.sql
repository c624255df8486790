-- Whoever changes who waits for a job's key does so alone.
SELECT s.job_id FROM {schema}.job_states AS s WHERE s.job_id = $1::text FOR UPDATE
