-- R22: new current revisions, the states locked or not there yet, and what the old ones owed decided up to a watermark,
-- which is given where nothing else was written. What was disabled owes nothing of that time.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::boolean[],
                         $8::timestamptz[], $9::text[])
             AS a (job_id, fingerprint, trigger, zone, zone_data, policies, enabled, watermark, upstreams)
), old AS (
    UPDATE {schema}.job_revisions AS r
    SET valid_to = clock_timestamp()
    FROM asked AS a
    WHERE r.job_id = a.job_id AND r.valid_to IS NULL
    RETURNING r.job_id
), new AS (
    INSERT INTO {schema}.job_revisions AS r
        (job_id, fingerprint, trigger, zone, zone_data, policies, enabled, valid_from, upstreams)
    SELECT a.job_id, a.fingerprint, a.trigger, a.zone, a.zone_data, a.policies, a.enabled, clock_timestamp(),
           -- An array has no arrays in it: ids have no spaces.
           string_to_array(a.upstreams, ' ')
    FROM asked AS a
    -- The old revision is closed first.
    LEFT JOIN old USING (job_id)
    ORDER BY a.job_id
    RETURNING r.id, r.job_id, r.enabled
)
INSERT INTO {schema}.job_states AS s (job_id, revision_id, enabled, watermark, prune_horizon)
SELECT n.job_id, n.id, n.enabled, clock_timestamp(),
       -- Rows of a job that is new are the predecessor's, whose occurrences have other keys: they are not run again (R21).
       CASE WHEN EXISTS (SELECT FROM {schema}.job_executions AS e WHERE e.job_id = n.job_id) THEN clock_timestamp() END
FROM new AS n
ORDER BY n.job_id
ON CONFLICT (job_id) DO UPDATE
SET revision_id = excluded.revision_id, enabled = excluded.enabled,
    watermark = greatest(s.watermark, (SELECT a.watermark FROM asked AS a WHERE a.job_id = s.job_id),
                         CASE WHEN excluded.enabled AND NOT s.enabled THEN clock_timestamp() END)
