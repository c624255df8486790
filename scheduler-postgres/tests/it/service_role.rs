//! A role that works with the tables and may not change them, by the grants of docs/backends.md. The conformance suites run as
//! one too.

use std::{collections::BTreeSet, error::Error};

use scheduler_core::store::Store as _;
use scheduler_postgres::PostgresError;

use crate::server::{Schema, ServiceRole, client};

/// An error with all its sources, as a log shows it.
fn chain(error: &dyn Error) -> String {
    let sources = std::iter::successors(Some(error), |error| (*error).source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_service_role_starts_on_migrated_tables_and_reads_their_identity() {
    let schema = Schema::new();
    let identity = schema.store().await.identity().await.expect("it was drawn");
    let role = ServiceRole::without_grants(&schema).await;
    role.grant().await;
    let store = role.lazy();
    store.check().await.expect("the tables fit");
    store.prepare().await.expect("there is nothing to migrate");
    assert!(store.check_migrations().await.expect("it may look").is_usable());
    assert_eq!(store.identity().await.expect("it may read"), identity);
    store.draw_identity().await.expect_err("it may not draw another");
    let owns = "SELECT count(*) FROM pg_shdepend WHERE refobjid = $1::text::regrole AND deptype = 'o'";
    let owns: i64 = client(&schema.url).await.query_one(owns, &[&role.name]).await.expect("a count").get(0);
    assert_eq!(owns, 0, "it owns nothing");
}

#[tokio::test]
async fn a_service_role_is_refused_on_tables_that_are_not_migrated_and_told_what_to_do() {
    let schema = Schema::new();
    let role = ServiceRole::without_grants(&schema).await;
    let error = role.lazy().migrate().await.expect_err("it may make no schema");
    assert!(matches!(error, PostgresError::MayNotMigrate { .. }), "{error:?}");
    let words = chain(&error);
    for part in [&*schema.name, &*role.name, "`PostgresStore::migrate`", "permission denied for database"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    schema.store().await;
    role.grant().await;
    let client = schema.client().await;
    client.batch_execute("DELETE FROM scheduler_versions WHERE version = 9").await.expect("its note is taken away");
    let error = role.lazy().migrate().await.expect_err("it may not change the tables");
    assert!(matches!(error, PostgresError::MayNotMigrate { .. }), "{error:?}");
    assert!(chain(&error).contains(&format!("permission denied for schema {}", schema.name)), "{}", chain(&error));
}

/// What nothing needs is left to a role that may, so that the service starts all the same.
#[tokio::test]
async fn a_step_that_nothing_needs_keeps_no_service_role_from_its_start() {
    let schema = Schema::new();
    schema.store().await;
    let role = ServiceRole::without_grants(&schema).await;
    role.grant().await;
    let client = schema.client().await;
    let undo = "DELETE FROM scheduler_versions WHERE version = 11;
                CREATE UNIQUE INDEX ix_job_executions_claim ON job_executions (claim_id) WHERE claim_id IS NOT NULL";
    client.batch_execute(undo).await.expect("the step is undone");
    role.lazy().prepare().await.expect("it starts");
    let noted = async || -> i64 {
        let noted = "SELECT count(*) FROM scheduler_versions WHERE version = 11";
        client.query_one(noted, &[]).await.expect("a count").get(0)
    };
    assert_eq!(noted().await, 0, "it is left");
    schema.store().await;
    assert_eq!(noted().await, 1, "who may has done it");
}

/// Each right that the page grants is one that the start asks for, and a role without it is told the statement that gives it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_role_without_one_of_the_grants_is_refused_with_the_statement_that_mends_it() {
    let schema = Schema::new();
    schema.store().await;
    let role = ServiceRole::without_grants(&schema).await;
    role.grant().await;
    let admin = client(&schema.url).await;
    let grants = ServiceRole::grants(&schema.name, &role.name);
    let mut taken = BTreeSet::new();
    for statement in grants.split(';').map(str::trim).filter(|statement| statement.starts_with("GRANT")) {
        let (rights, on) = statement["GRANT ".len()..].split_once(" ON ").expect("a grant");
        let (on, _) = on.split_once(" TO ").expect("to somebody");
        let (kind, names) = on.split_once(' ').unwrap_or(("TABLE", on));
        for (right, name) in rights.split(", ").flat_map(|right| names.split(", ").map(move |name| (right, name))) {
            let what = format!("{right} ON {kind} {}", name.trim());
            admin.batch_execute(&format!("REVOKE {what} FROM {}", role.name)).await.expect("revoked");
            let error = role.lazy().migrate().await.expect_err(&what);
            let words = error.to_string();
            assert!(matches!(error, PostgresError::Rights { .. }), "{what}: {error:?}");
            let mend = words.split('`').find(|part| part.starts_with("GRANT ")).expect("the statement");
            assert_eq!(mend.matches("GRANT").count(), 1, "{what}: {mend}");
            admin.batch_execute(mend).await.expect("it gives the right");
            role.lazy().migrate().await.expect("it starts");
            taken.insert(what);
        }
    }
    assert!(taken.len() > 30, "{taken:?}");
}
