-- What other versions of the code, and the predecessor, do to the tables while this one works with them.

-- Which versions were applied, beyond what refinery keeps, and from which version of the code on each can be worked with.
CREATE TABLE scheduler_versions (
    version         INTEGER     PRIMARY KEY,
    compatible_from INTEGER     NOT NULL,
    name            TEXT,
    applied_at      TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- Which version of the tables an instance knows: null of those that are older than this column.
ALTER TABLE instances ADD COLUMN tables_version INTEGER;

-- The words that this version writes. A later one that writes others says so in a step of its own; of reasons there may be any.
ALTER TABLE job_executions
    ADD CONSTRAINT job_executions_status_check CHECK (
        status IN ('pending', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'abandoned', 'skipped', 'missed')
    ) NOT VALID,
    ADD CONSTRAINT job_executions_origin_check CHECK (
        origin IN ('schedule', 'catch_up', 'backfill', 'manual', 'dependency')
    ) NOT VALID;

-- R1: the highest number of each job's runs that have ended since an instant. A run that waits for its key is overtaken only by
-- one that draws its number, runs and ends meanwhile: after the statement that waits has begun.
-- Volatile, so that it sees what was committed after the asking statement began. With two bounds and by one condition, so that
-- whatever the planner knows it walks the index of what has ended.
CREATE FUNCTION fences_ended_since(since TIMESTAMPTZ) RETURNS TABLE (job_id TEXT, fence BIGINT)
    LANGUAGE sql VOLATILE ROWS 100
    BEGIN ATOMIC
        SELECT e.job_id::text, max(e.fence)
        FROM job_executions AS e
        WHERE e.finished_at BETWEEN since AND since + interval '10 minutes'
        GROUP BY e.job_id;
    END;

-- R12: the bounds of the keys of a schedule's occurrences after an instant, and up to one. Such a key is `s:` and the instant in
-- milliseconds: of 13 digits from 2001 to 2286, where keys are in the order of their instants in any collation.
CREATE FUNCTION first_key(after TIMESTAMPTZ) RETURNS TEXT
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN after BETWEEN '2001-09-10Z' AND '2286-11-19Z'
                THEN 's:' || floor(extract(epoch FROM after) * 1000)::BIGINT ELSE 's' END;
CREATE FUNCTION last_key(until TIMESTAMPTZ) RETURNS TEXT
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN until BETWEEN '2001-09-10Z' AND '2286-11-19Z'
                THEN 's:' || floor(extract(epoch FROM until) * 1000)::BIGINT + 1 ELSE 't' END;

-- From which id on rows may have been made at an instant or later. Ids are drawn as time goes by, a row's a little after the
-- instant that it says it was made at: ten minutes are left for that. What a wrong clock wrote ahead is passed over.
CREATE FUNCTION first_id_since(since TIMESTAMPTZ) RETURNS BIGINT
    LANGUAGE sql STABLE
    RETURN (
        WITH RECURSIVE search AS (
            SELECT min(e.id) AS low, max(e.id) + 1 AS high FROM job_executions AS e
            UNION ALL
            SELECT CASE WHEN probe.is_earlier THEN probe.id + 1 ELSE halved.low END,
                   CASE WHEN probe.is_earlier THEN halved.high ELSE halved.middle END
            FROM (SELECT s.low, s.high, s.low + (s.high - s.low) / 2 AS middle FROM search AS s WHERE s.low < s.high) AS halved
            LEFT JOIN LATERAL (
                SELECT e.id, e.created_at < since - interval '10 minutes' AS is_earlier
                FROM job_executions AS e
                WHERE e.id >= halved.middle AND e.created_at BETWEEN '2000-01-01Z' AND now()
                ORDER BY e.id
                LIMIT 1
            ) AS probe ON true
        )
        SELECT s.low FROM search AS s WHERE s.low >= s.high
    );

-- The predecessor may go on writing during the roll-over. It names its own columns alone, and its rows show as what they are:
-- by the start, as those that were adopted. They hold no key, and have no fence: nothing here takes them for its own.
CREATE FUNCTION predecessor_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at CONSTANT TIMESTAMPTZ := coalesce(NEW.started_at, NEW.created_at);
BEGIN
    -- An instant that no arithmetic is possible with can't be a key.
    NEW.scheduled_at := CASE WHEN isfinite(at) THEN at ELSE TIMESTAMPTZ 'epoch' END;
    NEW.not_before := NEW.scheduled_at;
    -- With its id, so that nothing has to be looked up to tell it from another of the same millisecond.
    NEW.occurrence := 's:' || floor(extract(epoch FROM NEW.scheduled_at) * 1000)::BIGINT || ':' || NEW.id;
    NEW.attempt := 1;
    NEW.max_attempts := 1;
    NEW.origin := 'schedule';
    NEW.status := CASE WHEN NEW.success THEN 'succeeded' WHEN NEW.finished_at IS NOT NULL THEN 'failed' ELSE 'running' END;
    RETURN NEW;
END $$;

CREATE FUNCTION predecessor_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := CASE WHEN NEW.success THEN 'succeeded' WHEN NEW.finished_at IS NOT NULL THEN 'failed' ELSE OLD.status END;
    RETURN NEW;
END $$;

CREATE TRIGGER predecessor_insert BEFORE INSERT ON job_executions
    FOR EACH ROW WHEN (NEW.occurrence IS NULL) EXECUTE FUNCTION predecessor_insert();
-- Whoever ends a row of ours says its status.
CREATE TRIGGER predecessor_update BEFORE UPDATE OF success, finished_at ON job_executions
    FOR EACH ROW WHEN (OLD.fence IS NULL AND NEW.status = OLD.status
                       AND (NEW.success <> OLD.success OR NEW.finished_at IS DISTINCT FROM OLD.finished_at))
    EXECUTE FUNCTION predecessor_update();
