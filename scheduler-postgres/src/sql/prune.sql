-- R21: the rows are locked by an earlier statement, so that a retry that came before has its attempt here. What they said
-- goes with them.
WITH gone AS (
    DELETE FROM {schema}.job_executions AS e
    WHERE e.id = ANY ($1::bigint[])
      AND NOT (SELECT bool_or(o.status IN ('pending', 'running')) FROM {schema}.job_executions AS o
               WHERE o.job_id = e.job_id AND o.occurrence = e.occurrence)
    RETURNING e.id
), lines AS (
    DELETE FROM {schema}.execution_logs AS l USING gone WHERE l.execution_id = gone.id
), reports AS (
    DELETE FROM {schema}.execution_reports AS r USING gone WHERE r.execution_id = gone.id
)
SELECT gone.id FROM gone
