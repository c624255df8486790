-- R21: rows of any job that nobody needs, the oldest first. Written so that the planner walks the oldest rows by their
-- ids, which grow with time, and asks of each alone: it takes two bounds on one time for independent, and open rows for many.
SELECT e.id, e.job_id, e.occurrence LIKE 's:%' AS is_scheduled
FROM {schema}.job_executions AS e
WHERE e.id < (SELECT {schema}.first_id_since($1::timestamptz + interval '20 minutes')) AND greatest(e.created_at, e.scheduled_at) < $1
  AND e.status NOT IN ('pending', 'running')
  -- A request's instant has nothing to do with the schedule's watermark.
  AND (e.occurrence NOT LIKE 's:%'
       OR coalesce(e.scheduled_at <= (SELECT s.watermark FROM {schema}.job_states AS s WHERE s.job_id = e.job_id), true))
  AND NOT (SELECT bool_or(o.status IN ('pending', 'running')) FROM {schema}.job_executions AS o
           WHERE o.job_id = e.job_id AND o.occurrence = e.occurrence)
ORDER BY e.id
LIMIT $2::bigint
