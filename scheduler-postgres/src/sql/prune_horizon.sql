-- R21: below it rows may be missing. Moved, and committed, before any row goes: a backfill either comes before, and its
-- open attempt keeps the rows, or is refused.
UPDATE {schema}.job_states AS s
SET prune_horizon = $2::timestamptz
FROM (
    SELECT h.job_id
    FROM {schema}.job_states AS h
    WHERE h.job_id = ANY ($1::text[]) AND (h.prune_horizon IS NULL OR h.prune_horizon < $2)
    ORDER BY h.job_id
    FOR NO KEY UPDATE
) AS behind
WHERE s.job_id = behind.job_id
