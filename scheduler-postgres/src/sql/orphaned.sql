-- R22: jobs that no instance with a heartbeat within the lease announces, in whatever revision.
WITH served AS MATERIALIZED (
    SELECT DISTINCT r.job_id
    FROM {schema}.instances AS i
    CROSS JOIN LATERAL unnest(i.announced) AS a (revision_id)
    JOIN {schema}.job_revisions AS r ON r.id = a.revision_id
    WHERE i.seen_at > clock_timestamp() - $1::bigint * interval '1 millisecond'
)
SELECT {s.columns}
FROM {schema}.job_states AS s
WHERE NOT EXISTS (SELECT FROM served WHERE served.job_id = s.job_id)
ORDER BY s.job_id COLLATE "C"
