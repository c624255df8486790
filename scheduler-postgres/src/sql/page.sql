-- A page of the history by id, newest first. An empty filter lets every row through.
SELECT {e.read_columns}
FROM {schema}.job_executions AS e
WHERE ($1::text IS NULL OR e.job_id = $1)
  AND ($2::text[] IS NULL OR e.job_id = ANY ($2))
  AND ($3::text[] IS NULL OR e.status = ANY ($3))
  AND ($4::text[] IS NULL OR e.origin = ANY ($4))
  AND ($5::uuid IS NULL OR e.instance_id = $5)
  AND ($6::text IS NULL OR e.triggered_by = $6)
  -- Ids grow with time, within the ten minutes of `first_id_since` either way: the bounds are where rows are looked for, not
  -- which they are.
  AND ($7::timestamptz IS NULL OR e.created_at >= $7 AND e.id >= (SELECT {schema}.first_id_since($7)))
  AND ($8::timestamptz IS NULL OR e.created_at < $8 AND e.id < (SELECT {schema}.first_id_since($8 + interval '20 minutes')))
  -- What is over has ended since it was made.
  AND ($9::timestamptz IS NULL OR e.finished_at >= $9 OR (e.status = 'running' AND e.started_at >= $9)
       OR (e.status = 'pending' AND e.created_at >= $9 AND e.id >= (SELECT {schema}.first_id_since($9))))
  AND ($10::bigint IS NULL OR e.id < $10)
ORDER BY e.id DESC
OFFSET $11::bigint
LIMIT $12::bigint
