-- A page of the history by id, newest first. An empty filter lets every row through.
SELECT {e.columns}
FROM {schema}.job_executions AS e
WHERE ($1::text IS NULL OR e.job_id = $1)
  AND ($2::text[] IS NULL OR e.status = ANY ($2))
  AND ($3::timestamptz IS NULL OR e.created_at >= $3)
  AND ($4::bigint IS NULL OR e.id < $4)
ORDER BY e.id DESC
OFFSET $5::bigint
LIMIT $6::bigint
