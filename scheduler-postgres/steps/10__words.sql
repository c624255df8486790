-- The words of the rows that were there before: read through while everybody goes on.
ALTER TABLE job_executions VALIDATE CONSTRAINT job_executions_status_check;
ALTER TABLE job_executions VALIDATE CONSTRAINT job_executions_origin_check;
