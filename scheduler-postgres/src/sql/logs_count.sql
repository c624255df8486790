-- How many lines an execution logged, and how many of them are kept.
SELECT coalesce((SELECT r.logged FROM {schema}.execution_reports AS r WHERE r.execution_id = $1::bigint), 0) AS logged,
       (SELECT count(*) FROM {schema}.execution_logs AS l WHERE l.execution_id = $1) AS kept
