-- How the newest rows since an instant went. So many are read, whosever they are: however few of them are somebody's,
-- it takes no longer.
SELECT count(*) AS looked_at,
       count(*) FILTER (WHERE e.is_wanted AND e.has_ended) AS ended,
       count(*) FILTER (WHERE e.is_wanted AND e.has_ended AND e.status = 'succeeded') AS succeeded,
       extract(epoch FROM percentile_disc(0.95) WITHIN GROUP (ORDER BY e.lag) FILTER (WHERE e.is_wanted))::float8
           AS start_lag_p95
FROM (
    SELECT r.status,
           $1::text[] IS NULL OR r.job_id = ANY ($1) AS is_wanted,
           r.started_at IS NOT NULL AND r.status NOT IN ('pending', 'running') AS has_ended,
           CASE WHEN r.origin = 'schedule' AND r.attempt = 1
               THEN greatest(r.started_at - greatest(r.scheduled_at, r.not_before), interval '0')
           END AS lag
    FROM {schema}.job_executions AS r
    WHERE r.created_at >= $2 AND r.id >= (SELECT {schema}.first_id_since($2))
    ORDER BY r.id DESC
    LIMIT $3::bigint
) AS e
