-- R2: what an instance may take, oldest occurrence first; after the row named, if one is, and of the jobs named, if any are.
--
-- The index is walked from job to job, and within each from its oldest row on: what a look reads grows with the jobs that
-- have rows and with the rows it answers, not with the rows that wait behind them.
WITH RECURSIVE waiting AS (
    (SELECT e.job_id FROM {schema}.job_executions AS e
     WHERE $5::text[] IS NULL AND e.status = 'pending' ORDER BY e.job_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.job_id FROM {schema}.job_executions AS e
            WHERE e.status = 'pending' AND e.job_id > w.job_id ORDER BY e.job_id LIMIT 1)
    FROM waiting AS w
    WHERE w.job_id IS NOT NULL
), job AS MATERIALIZED (
    SELECT w.job_id, s.paused_at IS NULL AND s.enabled AS is_scheduled, r.policies ->> 'overlap' = 'allow' AS runs_many,
           -- A string where it is not what an instance of this version wrote.
           CASE WHEN jsonb_typeof(r.policies -> 'catch_up_limit') = 'number'
                THEN greatest((r.policies ->> 'catch_up_limit')::numeric, 1)::bigint ELSE 1 END AS at_once
    FROM (SELECT w.job_id::text FROM waiting AS w UNION ALL SELECT unnest($5)) AS w
    JOIN {schema}.job_states AS s ON s.job_id = w.job_id
    JOIN {schema}.job_revisions AS r ON r.id = s.revision_id
), held AS MATERIALIZED (
    -- Who holds a key that matters to this instance: the job's, or its own. Of a job that has one nothing else is due.
    SELECT h.job_id, CASE count(*) WHEN 1 THEN min(h.id) ELSE 0 END AS holder
    FROM {schema}.job_executions AS h
    WHERE h.holds_key AND h.job_id = ANY (ARRAY (SELECT j.job_id FROM job AS j)) AND coalesce(h.for_instance = $4::uuid, true)
    GROUP BY h.job_id
), free AS MATERIALIZED (
    SELECT j.*, h.holder
    FROM job AS j
    FULL JOIN held AS h ON h.job_id = j.job_id
)
SELECT d.id, d.job_id, d.origin, d.scheduled_at
FROM free AS f
CROSS JOIN (VALUES (false), (true)) AS kind (is_belated)
CROSS JOIN LATERAL (
    SELECT e.id, e.job_id, e.origin, e.scheduled_at
    FROM {schema}.job_executions AS e
    WHERE f.holder IS NULL
      AND e.job_id = f.job_id
      AND e.status = 'pending'
      -- Those that this version can't read are left to another.
      AND e.id <> ALL ($6::bigint[])
      AND (e.scheduled_at, e.id) > (CASE WHEN f.runs_many THEN coalesce($2::timestamptz, '-infinity') ELSE '-infinity' END,
                                    coalesce($3::bigint, 0))
      AND e.not_before <= clock_timestamp()
      AND coalesce(e.for_instance = $4, true)
      -- What a later version brings into being is left to it.
      AND e.origin IN ('schedule', 'catch_up', 'backfill', 'manual', 'dependency')
      AND (f.is_scheduled OR e.origin IN ('manual', 'backfill'))
      AND (e.origin IN ('catch_up', 'backfill')) = kind.is_belated
    ORDER BY e.scheduled_at, e.id
    LIMIT CASE WHEN NOT coalesce(f.runs_many, false) THEN 1 WHEN kind.is_belated THEN least(f.at_once, $1::bigint) ELSE $1 END
) AS d
WHERE $2 IS NULL OR (d.scheduled_at, d.id) > ($2, $3)
UNION ALL
-- A holder that waits is a retry, which goes on with its key.
SELECT e.id, e.job_id, e.origin, e.scheduled_at
FROM {schema}.job_executions AS e
JOIN {schema}.job_states AS s ON s.job_id = e.job_id
WHERE e.id = ANY (ARRAY (SELECT f.holder FROM free AS f WHERE f.job_id IS NOT NULL AND f.holder IS NOT NULL))
  AND e.status = 'pending'
  AND e.id <> ALL ($6)
  AND e.not_before <= clock_timestamp()
  AND coalesce(e.for_instance = $4, true)
  AND e.origin IN ('schedule', 'catch_up', 'backfill', 'manual', 'dependency')
  AND (s.paused_at IS NULL AND s.enabled OR e.origin IN ('manual', 'backfill'))
  AND ($2 IS NULL OR (e.scheduled_at, e.id) > ($2, $3))
ORDER BY scheduled_at, id
LIMIT $1
