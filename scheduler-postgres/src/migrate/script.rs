//! What is missing in a schema, as SQL for someone who may change tables to run by psql.

use std::fmt::Write as _;

use refinery_core::traits::r#async::AsyncMigrate as _;
use tokio_postgres::{Client, types::Type};

use super::{Found, LOCK, LOCK_LIMIT, TURN, adopt, base, known, steps};
use crate::error::PostgresError;

/// The text that brings the schema, as it is now, to this code's version.
///
/// A schema that has changed since is refused by the text itself, which holds the lock under which instances migrate.
pub(crate) async fn script(client: &mut Client, schema: &str) -> Result<String, PostgresError> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let found = Found::read(&transaction, schema).await?;
    let is_later = found.is_later(schema)?;
    let to_adopt = if found.base == 0 { adopt::look(&transaction, schema).await? } else { None };
    let has_schema =
        transaction.query_typed("SELECT FROM pg_namespace WHERE nspname = $1", &[(&schema, Type::NAME)]).await?;
    let applied = found.applied();
    let mut belated = Vec::new();
    let mut left = String::new();
    for step in steps::belated(&applied) {
        match steps::older_instances(&transaction, schema, step.version).await? {
            0 => belated.push(step),
            older => {
                let (version, name) = (step.version, step.name);
                let _ = writeln!(
                    left,
                    "-- Version {version} ({name}) is left for later: {older} instances of an older version were heard of in the last hour."
                );
            }
        }
    }
    transaction.commit().await?;

    let migrations: Vec<_> = base::versions().into_iter().filter(|known| known.version() > found.base).collect();
    let missing: Vec<_> = steps::needed(&applied).chain(belated).collect();
    if migrations.is_empty() && missing.is_empty() {
        let why =
            if is_later { "the tables are of a newer version" } else { "the tables have what this version needs" };
        return Ok(format!("-- Nothing is missing: {why}.\n{left}"));
    }

    let mut text = opening(schema, &found);
    if !migrations.is_empty() {
        text.push_str("BEGIN;\n");
        if has_schema.is_empty() {
            let _ = writeln!(text, "CREATE SCHEMA \"{schema}\";");
        }
        if let Some(rows) = to_adopt {
            let _ = writeln!(
                text,
                "-- The predecessor's table is adopted: each of its {rows} rows is rewritten, and it is locked until that is done."
            );
        }
        let table = base::InTransaction::assert_migrations_table_query(base::TABLE);
        let _ = writeln!(text, "{table}");
        for migration in &migrations {
            let (version, name, checksum) = (migration.version(), migration.name(), migration.checksum());
            let sql = migration.sql().unwrap_or_default().trim_end();
            let _ = write!(
                text,
                "\n-- Version {version}: {}.\n{sql}\n\
                 INSERT INTO {} (version, name, applied_on, checksum) VALUES ({version}, '{name}',\n    \
                 to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '{checksum}');\n",
                name.replace('_', " "),
                base::TABLE,
            );
        }
        text.push_str("COMMIT;\n");
    }
    for step in missing {
        let _ = write!(text, "\n-- Version {}: {}.\n{}", step.version, step.name, step.script());
    }
    let _ =
        write!(text, "\n{left}SELECT pg_advisory_unlock({LOCK}), pg_advisory_unlock({TURN}, hashtext('{schema}'));\n");
    Ok(text)
}

/// What comes first: how the text is run, and that it is for a schema as it was when it was printed.
fn opening(schema: &str, found: &Found) -> String {
    format!(
        "-- Brings the scheduler's tables from version {from} to version {to}.\n\
         -- Run it by psql, as the role that owns the tables: psql -X -f FILE. It ends at the first error; print it anew then,\n\
         -- and run what it says. A lock is waited for {limit} ms at most, as whoever asks for the tables queues behind it.\n\
         \\set ON_ERROR_STOP on\n\
         SET statement_timeout = 0;\n\
         SET idle_in_transaction_session_timeout = 0;\n\
         SET search_path TO \"{schema}\", pg_temp;\n\
         DO $guard$\n\
         DECLARE\n    \
             has_base  INTEGER := 0;\n    \
             has_steps TEXT;\n\
         BEGIN\n    \
             -- Instances migrate under these locks: they are kept to the end.\n    \
             PERFORM pg_advisory_lock({TURN}, hashtext('{schema}'));\n    \
             PERFORM pg_advisory_lock({LOCK});\n    \
             IF to_regclass('\"{schema}\".{base_table}') IS NOT NULL THEN\n        \
                 EXECUTE 'SELECT coalesce(max(version), 0) FROM {base_table}' INTO has_base;\n    \
             END IF;\n    \
             IF to_regclass('\"{schema}\".{steps_table}') IS NOT NULL THEN\n        \
                 EXECUTE 'SELECT string_agg(version::text, '','' ORDER BY version) FROM {steps_table}' INTO has_steps;\n    \
             END IF;\n    \
             IF has_base <> {base} OR coalesce(has_steps, '') <> '{steps}' THEN\n        \
                 RAISE EXCEPTION 'the tables have changed since this was printed: print it anew';\n    \
             END IF;\n\
         END $guard$;\n\
         SET lock_timeout = {limit};\n\n",
        from = found.version(),
        to = known(),
        limit = LOCK_LIMIT.as_millis(),
        base_table = base::TABLE,
        steps_table = steps::TABLE,
        base = found.base,
        steps = steps_text(found),
    )
}

/// The steps that were applied, as the text's own question answers them.
fn steps_text(found: &Found) -> String {
    let mut applied = found.applied();
    applied.sort_unstable();
    applied.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
