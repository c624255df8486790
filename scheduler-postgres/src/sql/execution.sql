SELECT {e.columns} FROM {schema}.job_executions AS e WHERE e.id = $1::bigint
