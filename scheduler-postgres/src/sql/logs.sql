-- Lines of one execution, of some levels: those after a number, or the last ones, newest first.
SELECT l.place, l.number, l.at, l.level, l.target, l.message
FROM {schema}.execution_logs AS l
WHERE l.execution_id = $1::bigint AND l.number > $2::bigint AND l.level = ANY ($3::text[])
ORDER BY CASE WHEN $4::boolean THEN -l.number ELSE l.number END
LIMIT $5::bigint
