-- Makes the tables, from nothing or around the predecessor's `job_executions`, of which every row is kept.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

-- The predecessor's table. Where it exists this does nothing, and what follows widens it.
CREATE TABLE IF NOT EXISTS job_executions (
    id               BIGSERIAL PRIMARY KEY,
    job_id           VARCHAR(100) NOT NULL,
    started_at       TIMESTAMPTZ,
    finished_at      TIMESTAMPTZ,
    duration_seconds NUMERIC(10, 3),
    success          BOOLEAN      NOT NULL DEFAULT false,
    message          TEXT,
    error_trace      TEXT,
    result_data      JSON,
    created_at       TIMESTAMPTZ  NOT NULL DEFAULT now(),
    updated_at       TIMESTAMPTZ
);

ALTER TABLE job_executions
    ALTER COLUMN id TYPE BIGINT,
    ALTER COLUMN started_at DROP NOT NULL,
    ADD COLUMN occurrence            TEXT,
    ADD COLUMN attempt               INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN max_attempts          INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN origin                TEXT    NOT NULL DEFAULT 'schedule',
    ADD COLUMN status                TEXT,
    ADD COLUMN reason                TEXT,
    ADD COLUMN scheduled_at          TIMESTAMPTZ,
    ADD COLUMN not_before            TIMESTAMPTZ,
    ADD COLUMN holds_key             BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN queued                BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN claim_id              UUID,
    ADD COLUMN request_hash          TEXT,
    ADD COLUMN fence                 BIGINT,
    ADD COLUMN instance_id           UUID,
    ADD COLUMN triggered_by          TEXT,
    ADD COLUMN params                JSON,
    ADD COLUMN upstream_execution_id BIGINT,
    ADD COLUMN late                  BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN missed_from           TIMESTAMPTZ,
    ADD COLUMN missed_count          BIGINT;

-- A SERIAL's sequence ends at 2,147,483,647 even when its column is wide.
DO $$
DECLARE
    ids TEXT := pg_get_serial_sequence('job_executions', 'id');
BEGIN
    IF ids IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s AS BIGINT', ids);
    END IF;
END $$;

-- The predecessor wrote one row a run, without its occurrence: the start stands for it. Where two rows of a job share
-- the millisecond, the later ones carry their id as well. What has neither an end nor success was lost.
UPDATE job_executions AS e
SET occurrence   = 's:' || legacy.millis || CASE WHEN legacy.nth = 1 THEN '' ELSE ':' || legacy.id END,
    status       = CASE WHEN e.success THEN 'succeeded' WHEN e.finished_at IS NOT NULL THEN 'failed' ELSE 'abandoned' END,
    scheduled_at = legacy.at,
    not_before   = legacy.at
FROM (
    SELECT id, at, millis, row_number() OVER (PARTITION BY job_id, millis ORDER BY id) AS nth
    FROM (
        SELECT id, job_id, at, floor(extract(epoch FROM at) * 1000)::BIGINT AS millis
        FROM (
            SELECT id, job_id,
                   -- An instant that no arithmetic is possible with can't be a key.
                   CASE WHEN isfinite(coalesce(started_at, created_at)) THEN coalesce(started_at, created_at)
                        ELSE TIMESTAMPTZ 'epoch' END AS at
            FROM job_executions
        ) AS starts
    ) AS instants
) AS legacy
WHERE e.id = legacy.id;

-- What the predecessor's tables never had, so that its own index name now serves pages of one job's history.
DROP INDEX IF EXISTS ix_job_executions_job_id;

ALTER TABLE job_executions
    ALTER COLUMN occurrence SET NOT NULL,
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN scheduled_at SET NOT NULL,
    ALTER COLUMN not_before SET NOT NULL,
    ALTER COLUMN attempt DROP DEFAULT,
    ALTER COLUMN max_attempts DROP DEFAULT,
    ALTER COLUMN origin DROP DEFAULT,
    ADD CONSTRAINT job_executions_occurrence_key UNIQUE (job_id, occurrence, attempt),
    ADD CONSTRAINT job_executions_success_check CHECK (success = (status = 'succeeded')),
    ADD CONSTRAINT job_executions_open_check CHECK (NOT (holds_key OR queued) OR status IN ('pending', 'running'));

-- R16, R17: one row holds a job's key, one is queued for it.
CREATE UNIQUE INDEX ix_job_executions_holder ON job_executions (job_id) WHERE holds_key;
CREATE UNIQUE INDEX ix_job_executions_queued ON job_executions (job_id) WHERE queued;
-- R8: a lost reply is looked up by the client's own name for its claim.
CREATE UNIQUE INDEX ix_job_executions_claim ON job_executions (claim_id) WHERE claim_id IS NOT NULL;
-- R1: the highest fence given for a job.
CREATE UNIQUE INDEX ix_job_executions_fence ON job_executions (job_id, fence) WHERE fence IS NOT NULL;
-- Keyset pages: of one job, and of all jobs since an instant.
CREATE INDEX ix_job_executions_job_id ON job_executions (job_id, id);
CREATE INDEX ix_job_executions_created ON job_executions (created_at, id);
-- R2: what waits.
CREATE INDEX ix_job_executions_pending ON job_executions (job_id, scheduled_at, id) WHERE status = 'pending';
-- R6: what runs.
CREATE INDEX ix_job_executions_running ON job_executions (id) WHERE status = 'running';
-- R12: which of a schedule's occurrences have their row, and the newest range.
CREATE INDEX ix_job_executions_decided ON job_executions (job_id, scheduled_at) WHERE attempt = 1 AND occurrence LIKE 's:%';
CREATE INDEX ix_job_executions_range ON job_executions (job_id, scheduled_at) WHERE missed_from IS NOT NULL;

CREATE SEQUENCE execution_fences AS BIGINT;

-- R3: apart from the rows they are for, so that a user's lock on a row holds up no renewal. No foreign key, for the
-- same reason; no index on the expiry, so that a renewal touches no index.
CREATE TABLE execution_leases (
    execution_id        BIGINT      PRIMARY KEY,
    instance_id         UUID        NOT NULL,
    fence               BIGINT      NOT NULL,
    expires_at          TIMESTAMPTZ NOT NULL,
    rerun_on_crash      BOOLEAN     NOT NULL,
    cancel_requested_at TIMESTAMPTZ
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 200);

-- R22: each trigger that a job has had, and when.
CREATE TABLE job_revisions (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id      TEXT        NOT NULL,
    fingerprint TEXT        NOT NULL,
    trigger     TEXT        NOT NULL,
    zone        TEXT,
    policies    JSONB       NOT NULL,
    enabled     BOOLEAN     NOT NULL,
    valid_from  TIMESTAMPTZ NOT NULL,
    valid_to    TIMESTAMPTZ
);
CREATE INDEX ix_job_revisions_fingerprint ON job_revisions (job_id, fingerprint);
CREATE UNIQUE INDEX ix_job_revisions_current ON job_revisions (job_id) WHERE valid_to IS NULL;

CREATE TABLE job_states (
    job_id        TEXT        PRIMARY KEY,
    revision_id   BIGINT      NOT NULL REFERENCES job_revisions,
    enabled       BOOLEAN     NOT NULL,
    watermark     TIMESTAMPTZ NOT NULL,
    paused_at     TIMESTAMPTZ,
    paused_by     TEXT,
    pause_reason  TEXT,
    pause_until   TIMESTAMPTZ,
    overrides     JSONB,
    prune_horizon TIMESTAMPTZ
) WITH (fillfactor = 70);

CREATE TABLE instances (
    id              UUID        PRIMARY KEY,
    host            TEXT        NOT NULL,
    pid             BIGINT      NOT NULL,
    version         TEXT        NOT NULL,
    clock_offset_ms BIGINT      NOT NULL,
    started_at      TIMESTAMPTZ NOT NULL,
    seen_at         TIMESTAMPTZ NOT NULL,
    -- The revisions that the instance announced and that were current then.
    announced       BIGINT[]    NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

CREATE TABLE job_audit (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    principal    TEXT        NOT NULL,
    action       TEXT        NOT NULL,
    job_id       TEXT,
    execution_id BIGINT,
    reason       TEXT,
    address      TEXT,
    detail       JSONB
);
CREATE INDEX ix_job_audit_job_id ON job_audit (job_id, id);

-- R1: whether a later start of the job has drawn a number above this one meanwhile. Volatile, so that it sees what was
-- committed after the asking statement began.
CREATE FUNCTION fence_is_overtaken(job TEXT, number BIGINT) RETURNS BOOLEAN
    LANGUAGE sql VOLATILE
    RETURN EXISTS (SELECT FROM job_executions WHERE job_id = job AND fence > number);
