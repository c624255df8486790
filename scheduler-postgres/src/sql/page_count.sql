SELECT count(*) AS total
FROM {schema}.job_executions AS e
WHERE ($1::text IS NULL OR e.job_id = $1)
  AND ($2::text[] IS NULL OR e.status = ANY ($2))
  AND ($3::timestamptz IS NULL OR e.created_at >= $3)
