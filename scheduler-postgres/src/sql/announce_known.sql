-- R22: which of the announced fingerprints are current already, in one row whatever their number; noted as the instance's.
-- Paused jobs are left out: more is to be said of them.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (job_id, fingerprint, nth)
), state AS MATERIALIZED (
    SELECT s.job_id, r.fingerprint, s.revision_id, s.watermark, s.prune_horizon
    FROM {schema}.job_states AS s
    JOIN {schema}.job_revisions AS r ON r.id = s.revision_id
    WHERE s.paused_at IS NULL
), joined AS MATERIALIZED (
    SELECT a.nth, s.revision_id, s.watermark, s.prune_horizon
    FROM asked AS a
    FULL JOIN state AS s USING (job_id, fingerprint)
), known AS MATERIALIZED (
    SELECT array_agg(j.nth) AS nth, array_agg(j.revision_id) AS revision_id, array_agg(j.watermark) AS watermark,
           array_agg(j.prune_horizon) AS prune_horizon
    FROM joined AS j
    WHERE j.nth IS NOT NULL AND j.revision_id IS NOT NULL
), noted AS (
    -- Of an instance that has announced nothing yet: of another it is sorted out one revision by one.
    INSERT INTO {schema}.instances AS i (id, host, pid, version, clock_offset_ms, started_at, seen_at, announced)
    SELECT $3::uuid, '', 0, '', 0, clock_timestamp(), clock_timestamp(), k.revision_id
    FROM known AS k
    WHERE k.revision_id IS NOT NULL
    ON CONFLICT (id) DO UPDATE
    SET seen_at = clock_timestamp(),
        announced = CASE WHEN i.announced = '{}' THEN excluded.announced
                         ELSE ARRAY (SELECT unnest(i.announced || excluded.announced) EXCEPT SELECT NULL) END
)
SELECT k.nth, k.revision_id, k.watermark, k.prune_horizon FROM known AS k
