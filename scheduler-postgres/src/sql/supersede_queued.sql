-- R17, `cancel_running`: of two that wait the later one stays; without an instant, one of now.
UPDATE {schema}.job_executions AS e
SET status = 'skipped', reason = 'superseded', queued = false,
    finished_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE e.job_id = $1::text AND e.queued AND e.for_instance IS NOT DISTINCT FROM $3::uuid
    AND e.scheduled_at < coalesce($2::timestamptz, clock_timestamp())
