SELECT a.id, a.at, a.principal, a.action, a.job_id, a.execution_id, a.reason, a.address, a.refused, a.before, a.after
FROM {schema}.job_audit AS a
WHERE ($1::text IS NULL OR a.job_id = $1)
  AND ($2::bigint IS NULL OR a.id < $2)
ORDER BY a.id DESC
LIMIT $3::bigint
