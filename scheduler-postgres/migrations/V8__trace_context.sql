-- The trace that a manual request belongs to, by W3C's headers: whoever runs one of its attempts continues it.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

ALTER TABLE job_executions
    ADD COLUMN traceparent TEXT,
    ADD COLUMN tracestate  TEXT;
