-- The predecessor's table as its own migrations made it, with rows of every kind it could write.
CREATE TABLE job_executions (
    id SERIAL PRIMARY KEY,
    job_id VARCHAR(100) NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    duration_seconds NUMERIC(10,3),
    success BOOLEAN NOT NULL DEFAULT false,
    message TEXT,
    error_trace TEXT,
    result_data JSON,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ
);
CREATE INDEX ix_job_executions_job_id ON job_executions (job_id);

INSERT INTO job_executions (job_id, started_at, finished_at, duration_seconds, success, message, result_data)
SELECT 'auto_create_daily_attendance', at, at + interval '1.234 seconds', 1.234, nth % 7 <> 0, 'run ' || nth,
       json_build_object('created', nth)
FROM generate_series(1, 400) AS nth, LATERAL (SELECT TIMESTAMPTZ '2024-01-01 00:30+07' + nth * interval '1 day') AS starts (at);

INSERT INTO job_executions (job_id, started_at, finished_at, duration_seconds, success, message, error_trace)
VALUES
    -- Two instances that ran the same instant, and a third within the same millisecond.
    ('twice', '2025-03-01 00:00:00.000+00', '2025-03-01 00:00:01+00', 1, true, 'first', NULL),
    ('twice', '2025-03-01 00:00:00.000+00', '2025-03-01 00:00:02+00', 2, false, 'second', 'Traceback'),
    ('twice', '2025-03-01 00:00:00.0004+00', NULL, NULL, false, 'third', NULL),
    -- A crash, a success that has no end, and an instant before the epoch.
    ('crashed', '2025-03-02 00:00+00', NULL, NULL, false, NULL, NULL),
    ('endless', '2025-03-03 00:00+00', NULL, 9999999.999, true, NULL, NULL),
    ('ancient', '1969-12-31 23:59:59.999+00', '1970-01-01 00:00+00', 0.001, true, NULL, NULL),
    -- Ids that ours would not allow.
    ('Old Job/1', '2025-03-04 00:00+00', '2025-03-04 00:00+00', 0, true, 'ünïcode', NULL),
    (repeat('x', 100), '2025-03-05 00:00+00', '2025-03-05 00:00+00', 0, true, '', '');
