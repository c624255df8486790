-- R24: all jobs that run after those of these executions, directly or not, their states locked: of two upstreams that end at
-- once the second sees the first. States come before rows in everybody's order.
WITH RECURSIVE below AS (
    SELECT r.job_id
    FROM {schema}.job_executions AS e
    JOIN {schema}.job_revisions AS r ON r.upstreams @> ARRAY[e.job_id::text]
    WHERE e.id = ANY ($1::bigint[]) AND r.valid_to IS NULL AND r.upstreams IS NOT NULL
    UNION
    SELECT r.job_id
    FROM below
    JOIN {schema}.job_revisions AS r ON r.upstreams @> ARRAY[below.job_id]
    WHERE r.valid_to IS NULL AND r.upstreams IS NOT NULL
)
SELECT s.job_id
FROM {schema}.job_states AS s
WHERE s.job_id IN (SELECT below.job_id FROM below)
ORDER BY s.job_id
FOR NO KEY UPDATE OF s
