//! Whose the tables are.

use scheduler_postgres::PostgresError;

use crate::server::Schema;

#[tokio::test]
async fn the_first_migration_draws_an_identity_that_stays() {
    let (schema, other) = (Schema::new(), Schema::new());
    let identity = schema.store().await.identity().await.expect("it was drawn");
    let client = schema.client().await;
    // As an instance that starts again, and one that finds the step without its note.
    client.batch_execute("DELETE FROM scheduler_versions WHERE version = 12").await.expect("its note is taken away");
    let again = schema.store().await.identity().await.expect("it is there");
    assert_eq!(again, identity);
    assert_ne!(other.store().await.identity().await.expect("it was drawn"), identity, "each schema has its own");
    assert_eq!(identity.to_string().len(), 36, "{identity}");
}

#[tokio::test]
async fn a_clone_draws_an_identity_of_its_own() {
    let schema = Schema::new();
    let store = schema.store().await;
    let original = store.identity().await.expect("it was drawn");
    let drawn = store.draw_identity().await.expect("another is drawn");
    assert_ne!(drawn, original);
    assert_eq!(schema.lazy().identity().await.expect("it is there"), drawn);
    let client = schema.client().await;
    let rows: i64 = client.query_one("SELECT count(*) FROM scheduler_identity", &[]).await.expect("a count").get(0);
    assert_eq!(rows, 1);
    let second = "INSERT INTO scheduler_identity (is_the_only, id) VALUES (false, gen_random_uuid())";
    client.batch_execute(second).await.expect_err("there is one row at most");
    client.batch_execute("DELETE FROM scheduler_identity").await.expect("a hand takes it away");
    let error = store.identity().await.expect_err("there is none");
    assert!(matches!(error, PostgresError::NoIdentity { .. }), "{error:?}");
    store.draw_identity().await.expect("one is drawn where there was none");
    store.identity().await.expect("it is there");
}

#[tokio::test]
async fn tables_that_were_not_migrated_have_no_identity_and_say_what_to_do() {
    let schema = Schema::new();
    for error in [schema.lazy().identity().await, schema.lazy().draw_identity().await] {
        let error = error.expect_err("there are no tables");
        let words = error.to_string();
        assert!(matches!(error, PostgresError::Behind { .. }), "{error:?}");
        assert!(words.contains(&schema.name) && words.contains("`PostgresStore::migrate`"), "{words}");
    }
}
