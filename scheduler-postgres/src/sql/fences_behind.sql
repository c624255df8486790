-- R1: the highest fence given, where the sequence is behind it. Who may not read the sequence is told so by a claim.
SELECT given.highest
FROM (
    SELECT max(newest.fence) AS highest
    FROM {schema}.job_states AS s
    CROSS JOIN LATERAL (
        SELECT e.fence FROM {schema}.job_executions AS e
        WHERE e.job_id = s.job_id AND e.fence IS NOT NULL
        ORDER BY e.fence DESC
        LIMIT 1
    ) AS newest
) AS given
WHERE CASE WHEN has_sequence_privilege('{schema}.execution_fences', 'USAGE, SELECT')
           THEN given.highest > coalesce(pg_sequence_last_value('{schema}.execution_fences'::regclass), 0) END
