-- How far back the code may lie that works with these tables, and the predecessor's writes while both run.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

-- Each version says from which version of the code on the tables can be worked with. An older code that finds a newer version
-- here goes on where it may, with a warning.
CREATE TABLE scheduler_versions (
    version         INTEGER PRIMARY KEY,
    compatible_from INTEGER NOT NULL
);
INSERT INTO scheduler_versions VALUES (9, 8);

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
