-- What the predecessor does to its table while it is copied is done to its successor. By the rights of whoever migrates: the
-- predecessor's role has none there.
CREATE OR REPLACE FUNCTION {workshop}.follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM {workshop}.job_executions;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND NEW.id <> OLD.id THEN
        DELETE FROM {workshop}.job_executions AS e WHERE e.id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO {workshop}.job_executions AS e
            (id, job_id, started_at, finished_at, duration_seconds, success, message, error_trace, result_data, created_at, updated_at)
        VALUES (NEW.id, NEW.job_id, NEW.started_at, NEW.finished_at, NEW.duration_seconds, NEW.success, NEW.message,
                NEW.error_trace, NEW.result_data, NEW.created_at, NEW.updated_at)
        ON CONFLICT (id) DO UPDATE
        SET job_id = excluded.job_id, started_at = excluded.started_at, finished_at = excluded.finished_at,
            duration_seconds = excluded.duration_seconds, success = excluded.success, message = excluded.message,
            error_trace = excluded.error_trace, result_data = excluded.result_data, created_at = excluded.created_at,
            updated_at = excluded.updated_at;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER scheduler_adoption AFTER INSERT OR UPDATE OR DELETE ON {schema}.job_executions
    FOR EACH ROW EXECUTE FUNCTION {workshop}.follow();
CREATE TRIGGER scheduler_adoption_truncate AFTER TRUNCATE ON {schema}.job_executions
    FOR EACH STATEMENT EXECUTE FUNCTION {workshop}.follow();
