-- R12: which of a schedule's occurrences have their row.
SELECT e.scheduled_at, e.missed_from
FROM {schema}.job_executions AS e
WHERE e.job_id = $1::text AND e.attempt = 1 AND e.occurrence LIKE 's:%'
  AND e.scheduled_at > (SELECT s.watermark FROM {schema}.job_states AS s WHERE s.job_id = $1)
  AND coalesce(e.missed_from, e.scheduled_at) <= clock_timestamp() - $2::bigint * interval '1 millisecond'
ORDER BY e.scheduled_at
LIMIT $3::bigint
