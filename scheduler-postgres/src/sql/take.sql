-- R2: pending rows start, of each job whose runs hold its key one at most, the oldest.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::bigint[], $2::uuid[], $3::boolean[], $4::boolean[], $5::bigint[], $6::uuid[], $7::uuid[],
                $8::integer[])
         WITH ORDINALITY
         AS asked (id, claim_id, holds_key, rerun_on_crash, lease_ms, instance_id, for_instance, at_once, nth)
), state AS MATERIALIZED (
    SELECT s.job_id, s.paused_at, s.enabled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT e.job_id FROM {schema}.job_executions AS e WHERE e.id = ANY ($1))
    ORDER BY s.job_id
    FOR SHARE OF s {skip_locked}
), free AS MATERIALIZED (
    SELECT a.*, row_number() OVER (PARTITION BY e.job_id, a.holds_key ORDER BY e.scheduled_at, e.id) AS rank
    FROM asked AS a
    JOIN {schema}.job_executions AS e USING (id)
    JOIN state AS s USING (job_id)
    WHERE e.status = 'pending' AND e.not_before <= clock_timestamp()
      AND (s.paused_at IS NULL AND s.enabled OR e.origin IN ('manual', 'backfill'))
      AND coalesce(e.for_instance = a.instance_id, true)
      AND NOT (a.holds_key AND EXISTS (SELECT FROM {schema}.job_executions AS h
                                       WHERE h.job_id = e.job_id AND h.holds_key AND h.id <> e.id
                                         AND h.for_instance IS NOT DISTINCT FROM a.for_instance))
      -- Such a row is asked for alone, its job's state locked by a statement before this one.
      AND (a.at_once IS NULL
           OR a.at_once > (SELECT count(*) FROM {schema}.job_executions AS r
                           WHERE r.job_id = e.job_id AND r.status = 'running' AND r.origin IN ('catch_up', 'backfill')))
), locked AS MATERIALIZED (
    SELECT e.id, f.claim_id, f.holds_key, f.rerun_on_crash, f.lease_ms, f.instance_id, f.for_instance
    FROM {schema}.job_executions AS e
    JOIN free AS f USING (id)
    WHERE (f.rank = 1 OR NOT f.holds_key) AND e.status = 'pending'
    ORDER BY e.id
    FOR NO KEY UPDATE OF e {skip_locked}
), started AS (
    UPDATE {schema}.job_executions AS e
    SET status = 'running', queued = false, holds_key = k.holds_key, claim_id = k.claim_id,
        fence = nextval('{schema}.execution_fences'), instance_id = k.instance_id, for_instance = k.for_instance,
        started_at = clock_timestamp(), updated_at = clock_timestamp()
    FROM locked AS k
    WHERE e.id = k.id AND e.status = 'pending'
    RETURNING {e.columns},
        (e.holds_key AND pg_sequence_last_value('{schema}.execution_fences'::regclass) > e.fence
         AND {schema}.fence_is_overtaken(e.job_id, e.fence)) AS overtaken
), leased AS (
    INSERT INTO {schema}.execution_leases (execution_id, instance_id, fence, expires_at, ttl_ms, rerun_on_crash)
    SELECT st.id, k.instance_id, st.fence, clock_timestamp() + k.lease_ms * interval '1 millisecond', k.lease_ms,
        k.rerun_on_crash
    FROM started AS st
    JOIN locked AS k USING (id)
)
SELECT a.nth, st.*
FROM asked AS a
JOIN started AS st USING (id)
ORDER BY a.nth
