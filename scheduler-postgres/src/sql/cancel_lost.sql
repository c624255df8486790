-- R26: what waits for an instance of which nothing was heard for so long ends with it.
UPDATE {schema}.job_executions AS e
SET status = 'cancelled', reason = 'instance_lost', holds_key = false, queued = false,
    finished_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE e.status = 'pending' AND e.for_instance IS NOT NULL
  AND NOT EXISTS (SELECT FROM {schema}.instances AS i
                  WHERE i.id = e.for_instance
                    AND i.seen_at >= clock_timestamp() - $1::bigint * interval '1 millisecond')
