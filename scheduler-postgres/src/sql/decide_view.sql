-- R12: of each job the clock, its newest range row, whether a row holds its key or is queued, and which of its schedule's
-- occurrences have their row; the jobs' states are locked.
SELECT a.job_id, now.at AS now, r.id AS range_id, r.reason AS range_reason, r.missed_from, r.scheduled_at,
       EXISTS (SELECT FROM {schema}.job_executions AS h WHERE h.job_id = a.job_id AND h.holds_key)
       OR EXISTS (SELECT FROM {schema}.job_executions AS q WHERE q.job_id = a.job_id AND q.queued) AS held,
       seen.scheduled_at AS seen, seen.missed_from AS seen_from
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS a (job_id, lag, most)
JOIN {schema}.job_states AS s USING (job_id)
CROSS JOIN LATERAL (SELECT clock_timestamp() AS at, a.lag) AS now
LEFT JOIN LATERAL (
    SELECT e.id, e.reason, e.missed_from, e.scheduled_at
    FROM {schema}.job_executions AS e
    WHERE e.job_id = a.job_id AND e.missed_from IS NOT NULL
    ORDER BY e.scheduled_at DESC
    LIMIT 1
) AS r ON true
CROSS JOIN LATERAL (
    -- By the keys from the watermark on, as in `survey.sql`.
    SELECT array_agg(r.scheduled_at ORDER BY r.scheduled_at) AS scheduled_at,
           array_agg(r.missed_from ORDER BY r.scheduled_at) AS missed_from
    FROM (SELECT e.scheduled_at, e.missed_from
          FROM {schema}.job_executions AS e
          WHERE e.job_id = a.job_id AND e.attempt = 1
            AND e.occurrence >= {schema}.first_key(s.watermark) AND e.occurrence < 't'
            AND e.scheduled_at > s.watermark
            AND coalesce(e.missed_from, e.scheduled_at) <= now.at - a.lag * interval '1 millisecond'
          ORDER BY e.occurrence
          LIMIT a.most) AS r
) AS seen
