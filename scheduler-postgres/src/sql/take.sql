-- R2: pending rows start, of each job whose runs hold its key one at most, the oldest; of rows that are counted, as many
-- as may run at once.
--
-- Linear in the batch as `claim.sql` is: rows by lists of ids, everything else by FULL JOIN.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::bigint[], $2::uuid[], $3::boolean[], $4::boolean[], $5::bigint[], $6::uuid[], $7::uuid[],
                $8::integer[])
         WITH ORDINALITY
         AS asked (id, claim_id, takes_key, rerun_on_crash, lease_ms, instance_id, for_instance, at_once, nth)
), row AS MATERIALIZED (
    -- By their ids alone: the index of what waits would be read as a whole for each of them.
    SELECT e.id, e.job_id::text AS job_id, e.origin, e.scheduled_at, e.holds_key, e.for_instance AS waits_for,
           e.status = 'pending' AND e.not_before <= clock_timestamp() AS is_due
    FROM {schema}.job_executions AS e
    WHERE e.id = ANY ($1)
), waiting AS MATERIALIZED (
    SELECT r.* FROM row AS r WHERE r.is_due
), state AS MATERIALIZED (
    SELECT s.job_id, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT w.job_id FROM waiting AS w)
    ORDER BY s.job_id
    FOR KEY SHARE OF s {skip_locked}
), busy AS MATERIALIZED (
    SELECT h.job_id::text AS job_id, array_agg(coalesce(h.for_instance, '00000000-0000-0000-0000-000000000000')) AS keys
    FROM {schema}.job_executions AS h
    WHERE h.holds_key AND h.job_id = ANY (ARRAY (SELECT w.job_id FROM waiting AS w))
    GROUP BY h.job_id
), crowd AS MATERIALIZED (
    -- Asked for only where rows are counted, their jobs' states locked by a statement before this one.
    SELECT r.job_id::text AS job_id, count(*) AS running
    FROM {schema}.job_executions AS r
    WHERE r.status = 'running' AND r.origin IN ('catch_up', 'backfill')
      AND EXISTS (SELECT FROM asked AS a WHERE a.at_once IS NOT NULL)
    GROUP BY r.job_id
), joined AS MATERIALIZED (
    SELECT a.*, w.job_id, w.origin, w.scheduled_at, w.holds_key, w.waits_for, s.is_scheduled, b.keys, c.running
    FROM asked AS a
    FULL JOIN waiting AS w USING (id)
    FULL JOIN state AS s USING (job_id)
    FULL JOIN busy AS b USING (job_id)
    FULL JOIN crowd AS c USING (job_id)
), free AS MATERIALIZED (
    SELECT j.*, row_number() OVER (PARTITION BY j.job_id, j.takes_key, j.at_once IS NULL ORDER BY j.scheduled_at, j.id) AS rank
    FROM joined AS j
    WHERE j.nth IS NOT NULL
      AND (j.is_scheduled OR j.is_scheduled IS NOT NULL AND j.origin IN ('manual', 'backfill'))
      AND coalesce(j.waits_for = j.instance_id, true)
      AND (NOT j.takes_key OR j.holds_key AND j.waits_for IS NOT DISTINCT FROM j.for_instance OR j.keys IS NULL
           OR coalesce(j.for_instance, '00000000-0000-0000-0000-000000000000') <> ALL (j.keys))
), locked AS MATERIALIZED (
    SELECT e.id, e.status = 'pending' AS is_locked
    FROM {schema}.job_executions AS e
    WHERE e.id = ANY (ARRAY (SELECT f.id FROM free AS f
                             WHERE CASE WHEN f.takes_key THEN f.rank = 1
                                        ELSE f.at_once IS NULL OR f.rank + coalesce(f.running, 0) <= f.at_once END))
    ORDER BY e.id
    FOR NO KEY UPDATE OF e {skip_locked}
), chosen AS MATERIALIZED (
    SELECT f.id AS chosen_id, f.nth, f.claim_id, f.takes_key, f.rerun_on_crash, f.lease_ms, f.instance_id AS taker,
           f.for_instance, k.is_locked
    FROM free AS f
    FULL JOIN locked AS k USING (id)
), started AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'running', queued = false, holds_key = c.takes_key, claim_id = c.claim_id,
        fence = nextval('{schema}.execution_fences'), instance_id = c.taker, for_instance = c.for_instance,
        started_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM chosen AS c
    WHERE e.id = c.chosen_id AND c.is_locked
    RETURNING {e.columns}
), answered AS MATERIALIZED (
    SELECT c.nth, c.lease_ms, c.rerun_on_crash, c.taker, st.*
    FROM chosen AS c
    FULL JOIN started AS st ON st.id = c.chosen_id
), leased AS (
    INSERT INTO {schema}.execution_leases (execution_id, instance_id, fence, expires_at, ttl_ms, rerun_on_crash)
    SELECT a.id, a.taker, a.fence, clock_timestamp() + a.lease_ms * interval '1 millisecond', a.lease_ms, a.rerun_on_crash
    FROM answered AS a
    WHERE a.id IS NOT NULL
), ended AS MATERIALIZED (
    -- As in `claim.sql`. The numbers were drawn after this statement had begun.
    SELECT f.job_id AS ended_job, f.fence AS highest
    FROM (SELECT CASE WHEN count(a.id) > 0 THEN statement_timestamp() END AS since FROM answered AS a) AS first
    CROSS JOIN LATERAL {schema}.fences_ended_since(first.since) AS f
)
SELECT a.*, a.holds_key AND e.highest > a.fence AS overtaken
FROM answered AS a
FULL JOIN ended AS e ON e.ended_job = a.job_id
WHERE a.id IS NOT NULL
ORDER BY a.nth
