-- R1: which of these runs, which hold their keys now, drew a number below one given to their job before. A later statement
-- than the one that drew them, so that it sees whatever started and ended between the number and the key.
WITH started AS MATERIALIZED (
    SELECT e.id, e.job_id, e.fence
    FROM {schema}.job_executions AS e
    WHERE e.claim_id = ANY ($1::uuid[]) AND e.holds_key
), compared AS MATERIALIZED (
    SELECT s.id, s.fence < (SELECT max(o.fence) FROM {schema}.job_executions AS o
                            WHERE o.job_id = s.job_id AND o.fence IS NOT NULL) AS is_overtaken
    FROM started AS s
)
SELECT c.id FROM compared AS c WHERE c.is_overtaken
