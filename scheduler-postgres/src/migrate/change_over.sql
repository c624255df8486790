-- The predecessor's table is locked: what is in the workshop takes its place, with the ids going on and whoever might use the one
-- allowed to use the other.
DO $$
DECLARE
    old_ids  TEXT := pg_get_serial_sequence('{schema}.job_executions', 'id');
    new_ids  TEXT := pg_get_serial_sequence('{workshop}.job_executions', 'id');
    old_name TEXT;
    new_name TEXT;
    owner    TEXT;
    highest  BIGINT;
    grants   RECORD;
    moved    RECORD;
BEGIN
    -- Code of version 8 knows of no copy, and adopts the table in its place.
    IF to_regclass('{schema}.scheduler_migrations') IS NOT NULL THEN
        RAISE EXCEPTION 'an instance of an older version has adopted the table meanwhile';
    END IF;
    SELECT greatest(max(e.id), 0) INTO highest FROM {schema}.job_executions AS e;
    IF old_ids IS NOT NULL THEN
        highest := greatest(highest, pg_sequence_last_value(old_ids::regclass));
    END IF;
    IF highest > 0 THEN
        PERFORM setval(new_ids::regclass, highest);
    END IF;

    FOR old_name, new_name IN
        VALUES ('{schema}.job_executions', '{workshop}.job_executions'), (old_ids, new_ids)
    LOOP
        CONTINUE WHEN old_name IS NULL;
        FOR grants IN
            SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee, a.privilege_type,
                   CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option,
                   CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
            FROM pg_class AS c, LATERAL aclexplode(c.relacl) AS a
            WHERE c.oid = old_name::regclass AND a.grantee <> c.relowner
        LOOP
            EXECUTE format('GRANT %s ON %s %s TO %s%s', grants.privilege_type, grants.kind, new_name, grants.grantee, grants.option);
        END LOOP;
    END LOOP;
    SELECT c.relowner::regrole::text INTO owner FROM pg_class AS c
    WHERE c.oid = '{schema}.job_executions'::regclass
      AND c.relowner <> (SELECT n.relowner FROM pg_class AS n WHERE n.oid = '{workshop}.job_executions'::regclass);
    IF owner IS NOT NULL THEN
        EXECUTE format('ALTER TABLE {workshop}.job_executions OWNER TO %s', owner);
    END IF;

    DROP TABLE {schema}.job_executions;
    DROP FUNCTION {workshop}.follow();
    DROP TABLE {workshop}.scheduler_adoption;
    FOR moved IN
        SELECT format('ALTER %s %s SET SCHEMA {schema}', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass) AS move
        FROM pg_class AS c
        WHERE c.relnamespace = '{workshop}'::regnamespace
          AND (c.relkind = 'r'
               -- A sequence goes with the table that owns it.
               OR c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend AS d
                                                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('ALTER FUNCTION %s SET SCHEMA {schema}', p.oid::regprocedure)
        FROM pg_proc AS p
        WHERE p.pronamespace = '{workshop}'::regnamespace
    LOOP
        EXECUTE moved.move;
    END LOOP;
    DROP SCHEMA {workshop};
END $$;
