-- R26: rows that one instance alone may run, and the key of each instance.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

ALTER TABLE job_executions ADD COLUMN for_instance UUID;

-- R16, R17, of a job's own key and of each instance's.
DROP INDEX ix_job_executions_holder;
DROP INDEX ix_job_executions_queued;
CREATE UNIQUE INDEX ix_job_executions_holder
    ON job_executions (job_id, coalesce(for_instance, '00000000-0000-0000-0000-000000000000')) WHERE holds_key;
CREATE UNIQUE INDEX ix_job_executions_queued
    ON job_executions (job_id, coalesce(for_instance, '00000000-0000-0000-0000-000000000000')) WHERE queued;

-- What waits for an instance, and ends with it.
CREATE INDEX ix_job_executions_for_instance ON job_executions (for_instance)
    WHERE status = 'pending' AND for_instance IS NOT NULL;
