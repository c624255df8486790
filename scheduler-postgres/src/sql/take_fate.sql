-- Why rows were not taken (R2); a repetition finds its own run (R8).
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[])
         WITH ORDINALITY AS a (id, asked_claim_id, taker, asked_for_instance, at_once, nth)
), row AS MATERIALIZED (
    SELECT {e.columns}
    FROM {schema}.job_executions AS e
    WHERE e.id = ANY ($1)
), state AS MATERIALIZED (
    SELECT s.job_id, s.paused_at IS NULL AND s.enabled AS is_scheduled
    FROM {schema}.job_states AS s
    WHERE s.job_id IN (SELECT r.job_id::text FROM row AS r)
), busy AS MATERIALIZED (
    SELECT h.job_id, array_agg(coalesce(h.for_instance, '00000000-0000-0000-0000-000000000000')) AS keys
    FROM {schema}.job_executions AS h
    WHERE h.holds_key AND h.job_id = ANY (ARRAY (SELECT r.job_id::text FROM row AS r))
    GROUP BY h.job_id
), crowd AS MATERIALIZED (
    SELECT c.job_id, count(*) AS running
    FROM {schema}.job_executions AS c
    WHERE c.status = 'running' AND c.origin IN ('catch_up', 'backfill')
      AND EXISTS (SELECT FROM asked AS a WHERE a.at_once IS NOT NULL)
    GROUP BY c.job_id
), joined AS MATERIALIZED (
    SELECT a.nth, a.asked_claim_id, a.taker, a.asked_for_instance, a.at_once, r.*, s.is_scheduled, b.keys, c.running
    FROM asked AS a
    FULL JOIN row AS r USING (id)
    FULL JOIN state AS s ON s.job_id = r.job_id
    FULL JOIN busy AS b ON b.job_id = r.job_id
    FULL JOIN crowd AS c ON c.job_id = r.job_id
)
SELECT e.*,
       coalesce(e.claim_id = e.asked_claim_id AND e.holds_key AND e.status = 'running'
                AND EXISTS (SELECT FROM {schema}.fences_ended_since(e.started_at - interval '100 milliseconds') AS o
                            WHERE o.job_id = e.job_id AND o.fence > e.fence), false) AS overtaken,
       coalesce(NOT e.is_scheduled AND e.origin NOT IN ('manual', 'backfill'), false) AS paused,
       coalesce(NOT (e.holds_key AND e.for_instance IS NOT DISTINCT FROM e.asked_for_instance)
                AND coalesce(e.asked_for_instance, '00000000-0000-0000-0000-000000000000') = ANY (e.keys),
                false) AS held,
       coalesce(e.for_instance <> e.taker, false) AS is_anothers,
       coalesce(e.at_once <= coalesce(e.running, 0), false) AS crowded,
       ceil(extract(epoch FROM e.not_before - clock_timestamp()) * 1000)::bigint AS remaining_ms
FROM joined AS e
WHERE e.nth IS NOT NULL AND e.job_id IS NOT NULL
ORDER BY e.nth
