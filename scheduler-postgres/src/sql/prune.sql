-- R21: the rows are locked by an earlier statement, so that a retry that came before has its attempt here.
DELETE FROM {schema}.job_executions AS e
WHERE e.id = ANY ($1::bigint[])
  AND NOT (SELECT bool_or(o.status IN ('pending', 'running')) FROM {schema}.job_executions AS o
           WHERE o.job_id = e.job_id AND o.occurrence = e.occurrence)
RETURNING e.id
