-- What executions say while they run: log lines and progress.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

-- Tables of their own, which refer to executions by no foreign key: nothing but finish and recovery updates or locks a
-- running row (R3). They go with their executions (R21).
CREATE TABLE execution_reports (
    execution_id BIGINT PRIMARY KEY,
    -- How many lines there were, kept or not.
    logged       BIGINT NOT NULL,
    done         BIGINT,
    total        BIGINT
);

-- The first lines keep their places; of those beyond, a later one replaces an earlier one.
CREATE TABLE execution_logs (
    execution_id BIGINT NOT NULL,
    place        INTEGER NOT NULL,
    number       BIGINT NOT NULL,
    at           TIMESTAMPTZ NOT NULL,
    level        TEXT NOT NULL,
    target       TEXT NOT NULL,
    message      TEXT NOT NULL,
    PRIMARY KEY (execution_id, place)
);
