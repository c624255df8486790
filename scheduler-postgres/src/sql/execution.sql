SELECT {e.read_columns} FROM {schema}.job_executions AS e WHERE e.id = $1::bigint
