-- R2: what an instance may take; of each job the oldest row that is caught up or backfilled, and the oldest other one (R17);
-- after the row named, if one is.
SELECT d.id, d.job_id, d.origin, d.scheduled_at
FROM (
    SELECT DISTINCT ON (e.job_id, e.origin IN ('catch_up', 'backfill')) e.id, e.job_id, e.origin, e.scheduled_at
    FROM {schema}.job_executions AS e
    JOIN {schema}.job_states AS s USING (job_id)
    WHERE e.status = 'pending'
      AND e.not_before <= clock_timestamp()
      AND coalesce(e.for_instance = $4::uuid, true)
      AND (s.paused_at IS NULL AND s.enabled OR e.origin IN ('manual', 'backfill'))
      AND NOT EXISTS (SELECT FROM {schema}.job_executions AS h
                      WHERE h.job_id = e.job_id AND h.holds_key AND h.id <> e.id
                        AND coalesce(h.for_instance = $4, true))
    ORDER BY e.job_id, e.origin IN ('catch_up', 'backfill'), e.scheduled_at, e.id
) AS d
WHERE $2::timestamptz IS NULL OR (d.scheduled_at, d.id) > ($2, $3::bigint)
ORDER BY d.scheduled_at, d.id
LIMIT $1::bigint
