-- What each execution wrote into indexes that this version does not read: a claim is looked up by its occurrence, the highest
-- fence of a job among the runs that have just ended, an instant by the ids, which grow with time, and what is decided by the
-- keys of the occurrences.
DROP INDEX CONCURRENTLY IF EXISTS ix_job_executions_claim;
DROP INDEX CONCURRENTLY IF EXISTS ix_job_executions_fence;
DROP INDEX CONCURRENTLY IF EXISTS ix_job_executions_created;
DROP INDEX CONCURRENTLY IF EXISTS ix_job_executions_decided;
