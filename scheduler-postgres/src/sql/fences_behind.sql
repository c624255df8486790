-- R1: the highest fence given, where the sequence is behind it: of what runs, and of what has ended last. Who may not read the
-- sequence is told so by a claim.
SELECT given.highest
FROM (
    SELECT greatest(
        (SELECT max(e.fence) FROM {schema}.job_executions AS e WHERE e.status = 'running'),
        (SELECT max(newest.fence)
         FROM (SELECT e.fence FROM {schema}.job_executions AS e WHERE e.finished_at IS NOT NULL
               ORDER BY e.finished_at DESC
               -- More than have ever run at once.
               LIMIT 20000) AS newest)
    ) AS highest
) AS given
WHERE CASE WHEN has_sequence_privilege('{schema}.execution_fences', 'USAGE, SELECT')
           THEN given.highest > coalesce(pg_sequence_last_value('{schema}.execution_fences'::regclass), 0) END
