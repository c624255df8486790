SELECT i.id, i.host, i.pid, i.version, i.clock_offset_ms, i.started_at, i.seen_at
FROM {schema}.instances AS i
-- One that has only announced its jobs so far has not said what it is.
WHERE i.host <> ''
ORDER BY i.seen_at DESC, i.id
