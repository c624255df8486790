-- What has ended since an instant: of live views on any instance, which ask from time to time.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.
CREATE INDEX ix_job_executions_finished ON job_executions (finished_at) WHERE finished_at IS NOT NULL;
