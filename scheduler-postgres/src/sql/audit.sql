SELECT a.id, a.at, a.principal, a.action, a.job_id, a.execution_id, a.reason, a.address, a.refused, a.before, a.after
FROM {schema}.job_audit AS a
WHERE ($1::text IS NULL OR a.job_id = $1)
  AND ($2::text[] IS NULL OR a.job_id = ANY ($2))
  AND ($3::bigint IS NULL OR a.execution_id = $3)
  AND ($4::text IS NULL OR a.principal = $4)
  AND ($5::text[] IS NULL OR a.action = ANY ($5))
  AND ($6::timestamptz IS NULL OR a.at >= $6)
  AND ($7::timestamptz IS NULL OR a.at < $7)
  AND ($8::bigint IS NULL OR a.id < $8)
ORDER BY a.id DESC
LIMIT $9::bigint
