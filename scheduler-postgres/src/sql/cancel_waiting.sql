-- A row that waits, and that is locked, ends at once and gives up the key if it held it.
UPDATE {schema}.job_executions AS e
SET status = 'cancelled', reason = 'by_request', message = $2::text, holds_key = false, queued = false,
    finished_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE e.id = $1::bigint AND e.status = 'pending'
RETURNING {e.columns}
