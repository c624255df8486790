//! The SQL of a migration, run by psql.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use scheduler_core::store::{HistoryStore as _, Store as _};
use scheduler_postgres::VersionState;
use tokio_postgres::Client;

use crate::server::{Schema, client};

/// Runs a text as who may change tables does; whether that was a success, and what was said.
fn psql(url: &str, script: &str) -> Output {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-d", url, "-f", "-"]);
    psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = psql.spawn().expect("psql comes with PostgreSQL");
    child.stdin.take().expect("piped").write_all(script.as_bytes()).expect("psql reads");
    child.wait_with_output().expect("psql ends")
}

/// Runs it to its end.
fn run(url: &str, script: &str) {
    let output = psql(url, script);
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
}

/// What a schema is made of, by the catalogue, with the schema's own name taken out.
async fn shape(schema: &Schema) -> Vec<String> {
    let client = schema.client().await;
    let sql = "
        SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
               || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r'
        UNION ALL
        SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = $1
        UNION ALL
        SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || convalidated || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = $1::text::regnamespace
        UNION ALL
        SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = $1::text::regnamespace
        UNION ALL
        SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = $1::text::regnamespace AND NOT t.tgisinternal
        UNION ALL
        SELECT 'migration ' || version || ' ' || name || ' ' || checksum FROM scheduler_migrations
        UNION ALL
        SELECT 'step ' || version || ' ' || compatible_from || ' ' || name FROM scheduler_versions";
    let rows = client.query(sql, &[&schema.name]).await.expect("the catalogue answers");
    let mut shape: Vec<String> = rows.iter().map(|row| row.get::<_, String>(0).replace(&schema.name, "s")).collect();
    shape.sort();
    shape
}

/// Leaves of a migrated schema what version 8 had: the steps are undone by hand.
async fn take_the_steps_away(client: &Client) {
    client
        .batch_execute(
            "DROP TABLE scheduler_versions, scheduler_identity;
             ALTER TABLE instances DROP COLUMN tables_version;
             ALTER TABLE job_executions DROP CONSTRAINT job_executions_status_check, DROP CONSTRAINT job_executions_origin_check;
             DROP TRIGGER predecessor_insert ON job_executions;
             DROP TRIGGER predecessor_update ON job_executions;
             DROP FUNCTION predecessor_insert, predecessor_update, fences_ended_since, first_key, last_key, first_id_since;
             CREATE UNIQUE INDEX ix_job_executions_claim ON job_executions (claim_id) WHERE claim_id IS NOT NULL",
        )
        .await
        .expect("the steps are undone");
}

#[tokio::test]
async fn the_script_for_nothing_makes_the_tables_that_a_migration_makes() {
    let (scripted, migrated) = (Schema::new(), Schema::new());
    let store = scripted.lazy();
    let script = store.migration_script().await.expect("the server answers");
    let nothing = client(&scripted.url).await;
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = $1";
    let there: i64 = nothing.query_one(there, &[&scripted.name]).await.expect("a count").get(0);
    assert_eq!(there, 0, "printing changes nothing");

    run(&scripted.url, &script);

    let check = store.check_migrations().await.expect("the server answers");
    assert_eq!(check.of(VersionState::Applied).count(), check.versions.len(), "{check}");
    migrated.store().await;
    assert_eq!(shape(&scripted).await, shape(&migrated).await, "names, types, checks and checksums are the same");
    store.prepare().await.expect("the engine finds nothing to do");
    let again = store.migration_script().await.expect("the server answers");
    assert!(again.starts_with("-- Nothing is missing") && !again.contains("BEGIN"), "{again}");
}

/// Refinery goes on from what the script noted, and holds its checksums against its own.
#[tokio::test]
async fn refinery_goes_on_from_what_the_script_has_done() {
    let schema = Schema::new();
    let store = schema.lazy();
    let script = store.migration_script().await.expect("the server answers");
    let (head, tail) = script.split_once("\n-- Version 8: ").expect("the last of refinery's");
    let (_, end) = tail.split_once("COMMIT;\n").expect("the end of their transaction");
    let unlock = end.lines().last().expect("its last line");
    run(&schema.url, &format!("{head}\nCOMMIT;\n{unlock}\n"));
    let check = store.check_migrations().await.expect("the server answers");
    assert_eq!(check.of(VersionState::Applied).map(|version| version.version).max(), Some(7), "{check}");
    store.migrate().await.expect("refinery accepts what is there, and goes on");
    assert!(store.check_migrations().await.expect("the server answers").is_usable());
}

#[tokio::test]
async fn the_script_for_version_8_has_the_steps_alone_and_waits_for_older_instances() {
    let schema = Schema::new();
    let store = schema.store().await;
    let client = schema.client().await;
    take_the_steps_away(&client).await;
    client
        .batch_execute(
            "INSERT INTO instances (id, host, pid, version, clock_offset_ms, started_at, seen_at)
             VALUES (gen_random_uuid(), 'h', 1, '0.1.0', 0, now(), now());
             INSERT INTO job_executions (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before)
             VALUES ('odd', 's:1', 1, 1, 'a word of nobody', 'failed', 'epoch', 'epoch')",
        )
        .await
        .expect("an older instance lives, and a row is odd");
    let script = store.migration_script().await.expect("the server answers");
    assert!(
        !script.contains("CREATE TABLE IF NOT EXISTS job_executions")
            && script.contains("1 instances of an older version")
    );
    run(&schema.url, &script);
    let check = store.check_migrations().await.expect("the server answers");
    assert!(check.is_usable(), "{check}");
    assert_eq!(check.of(VersionState::Belated).map(|version| version.version).collect::<Vec<_>>(), [11], "{check}");
    client.batch_execute("UPDATE instances SET seen_at = now() - interval '2 hours'").await.expect("it has gone");
    run(&schema.url, &store.migration_script().await.expect("the server answers"));
    let check = store.check_migrations().await.expect("the server answers");
    assert_eq!(check.of(VersionState::Applied).count(), check.versions.len(), "{check}");
    let index = "SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND indexname = 'ix_job_executions_claim'";
    let left: i64 = client.query_one(index, &[&schema.name]).await.expect("the catalogue answers").get(0);
    assert_eq!(left, 0, "the index was dropped");
}

#[tokio::test]
async fn the_script_adopts_the_predecessors_rows() {
    let schema = Schema::new();
    let client = schema.client().await;
    client.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.expect("the schema is made");
    client.batch_execute(include_str!("predecessor.sql")).await.expect("the predecessor's rows are there");
    let store = schema.lazy();
    let script = store.migration_script().await.expect("the server answers");
    assert!(script.contains("each of its 408 rows"), "{script}");
    run(&schema.url, &script);
    let attendance = scheduler_core::identity::JobId::parse("auto_create_daily_attendance").expect("valid");
    let latest = store.latest(&[attendance]).await.expect("the latest row");
    assert_eq!(latest[0].message.as_deref(), Some("run 400"));
    assert!(store.check_migrations().await.expect("the server answers").is_usable());
}

#[tokio::test]
async fn a_script_for_a_schema_that_has_changed_since_is_refused_and_changes_nothing() {
    let schema = Schema::new();
    let store = schema.lazy();
    let script = store.migration_script().await.expect("the server answers");
    store.migrate().await.expect("an instance has started meanwhile");
    let before = shape(&schema).await;
    let output = psql(&schema.url, &script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("print it anew"), "{said}");
    assert_eq!(shape(&schema).await, before);
}
