SELECT {s.columns}
FROM {schema}.job_states AS s
WHERE s.job_id = ANY ($1::text[])
ORDER BY s.job_id
