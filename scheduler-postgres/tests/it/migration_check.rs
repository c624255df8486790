//! What is told of a schema's tables without changing them.

use scheduler_postgres::{MigrationCheck, PostgresError, VersionState};
use tokio_postgres::Client;

use crate::server::{Schema, client};

/// The versions in a state.
fn of(check: &MigrationCheck, state: VersionState) -> Vec<i32> {
    check.of(state).map(|version| version.version).collect()
}

/// Everything that the schema has, and whether it is there.
async fn objects(client: &Client, schema: &str) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1)
                    + (SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1)";
    client.query_one(sql, &[&schema]).await.expect("the catalogue answers").get(0)
}

#[tokio::test]
async fn a_check_of_nothing_says_that_all_is_missing_and_makes_nothing() {
    let schema = Schema::new();
    let check = schema.lazy().check_migrations().await.expect("the server answers");
    assert!(!check.is_usable());
    assert!(of(&check, VersionState::Applied).is_empty(), "{check}");
    assert!(of(&check, VersionState::Missing).starts_with(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), "{check}");
    assert_eq!(check.versions.last().map(|version| version.version), Some(check.known));
    let words = check.to_string();
    assert!(words.contains(&schema.name) && words.contains("they have to be migrated"), "{words}");
    assert!(words.contains("\n    1  missing   executions\n"), "{words}");
    assert_eq!(objects(&client(&schema.url).await, &schema.name).await, 0, "the schema was not made");
}

#[tokio::test]
async fn a_check_after_a_migration_says_that_nothing_is_missing() {
    let schema = Schema::new();
    let store = schema.store().await;
    let check = store.check_migrations().await.expect("the server answers");
    assert!(check.is_usable() && check.to_adopt.is_none(), "{check}");
    assert_eq!(of(&check, VersionState::Applied).len(), check.versions.len(), "{check}");
    assert!(check.to_string().contains("nothing is missing"), "{check}");
}

#[tokio::test]
async fn a_check_tells_what_is_missing_and_what_is_belated_apart() {
    let schema = Schema::new();
    let store = schema.store().await;
    let client = schema.client().await;
    client.batch_execute("DELETE FROM scheduler_versions WHERE version = 11").await.expect("its note is taken away");
    let check = store.check_migrations().await.expect("the server answers");
    assert!(check.is_usable(), "this code does not need it: {check}");
    assert_eq!((of(&check, VersionState::Belated), of(&check, VersionState::Missing)), (vec![11], vec![]));
    client.batch_execute("DELETE FROM scheduler_versions WHERE version = 10").await.expect("its note is taken away");
    let check = store.check_migrations().await.expect("the server answers");
    assert!(!check.is_usable(), "{check}");
    assert_eq!((of(&check, VersionState::Belated), of(&check, VersionState::Missing)), (vec![11], vec![10]));
    let noted: i64 = client.query_one("SELECT count(*) FROM scheduler_versions", &[]).await.expect("a count").get(0);
    assert_eq!(usize::try_from(noted), Ok(check.versions.len() - 8 - 2), "nothing was applied");
}

#[tokio::test]
async fn a_check_says_whether_this_code_can_work_with_a_newer_schema() {
    let schema = Schema::new();
    let store = schema.store().await;
    let client = schema.client().await;
    let later =
        "INSERT INTO scheduler_versions VALUES (1000, (SELECT max(version) FROM scheduler_versions), 'of tomorrow')";
    client.batch_execute(later).await.expect("a later version was here");
    let check = store.check_migrations().await.expect("the server answers");
    assert!(check.is_usable() && check.to_string().contains("newer"), "{check}");
    assert_eq!(of(&check, VersionState::Newer), [1000]);
    assert!(check.to_string().ends_with(" 1000  newer     of tomorrow"), "{check}");
    let breaks = "UPDATE scheduler_versions SET compatible_from = 1000 WHERE version = 1000";
    client.batch_execute(breaks).await.expect("set");
    let check = store.check_migrations().await.expect("the server answers");
    assert!(!check.is_usable() && check.to_string().contains("can't work with them"), "{check}");
    assert_eq!(of(&check, VersionState::Breaking), [1000]);
}

#[tokio::test]
async fn a_check_counts_the_predecessors_rows_and_refuses_a_table_of_another_shape() {
    let schema = Schema::new();
    let client = schema.client().await;
    client.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.expect("the schema is made");
    client.batch_execute(include_str!("predecessor.sql")).await.expect("the predecessor's rows are there");
    let check = schema.lazy().check_migrations().await.expect("the server answers");
    assert_eq!(check.to_adopt, Some(408), "{check}");
    client.batch_execute("ALTER TABLE job_executions DROP COLUMN updated_at").await.expect("altered");
    let error = schema.lazy().check_migrations().await.expect_err("a migration would be refused");
    assert!(matches!(error, PostgresError::Column { column: "updated_at", .. }), "{error:?}");
}
