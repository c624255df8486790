-- R24: which jobs run after which, and what those before them answered.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

ALTER TABLE job_executions ADD COLUMN upstream_results JSON;

ALTER TABLE job_revisions ADD COLUMN upstreams TEXT[];
-- Few jobs run after others: a finish that looks for dependants finds next to nothing to read.
CREATE INDEX ix_job_revisions_upstreams ON job_revisions (job_id) WHERE valid_to IS NULL AND upstreams IS NOT NULL;
