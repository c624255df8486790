//! What is said when the server can't be had, and TLS.

use std::error::Error;

use scheduler_core::store::{ControlStore as _, StoreError};
use scheduler_postgres::{PostgresConfig, PostgresError, PostgresStore};

use crate::server::{Schema, url};

/// A URL's parts: before the user, user, password, and from the `@`.
fn with_password(url: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (user, host) = rest.split_once('@').expect("a user");
    let user = user.split(':').next().expect("a name");
    format!("{scheme}://{user}:{password}@{host}")
}

fn with_database(url: &str, database: &str) -> String {
    let (head, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = head.rsplit_once('/').expect("a database");
    format!("{server}/{database}?{parameters}")
}

/// An error with all its sources, as a log shows it.
fn chain(error: &dyn Error) -> String {
    std::iter::successors(Some(error.to_string()), |_| None)
        .chain(std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(": ")
}

#[tokio::test]
async fn a_wrong_password_is_said_and_never_shown() {
    let error = PostgresStore::connect(&with_password(&url(), "wr0ng")).await.expect_err("a wrong password");
    assert!(matches!(error, PostgresError::Authentication { .. }), "{error:?}");
    assert!(chain(&error).contains("check the user name and the password"), "{}", chain(&error));
    assert!(!chain(&error).contains("wr0ng") && !format!("{error:?}").contains("wr0ng"));
    let lazy = PostgresStore::connect_lazy(&with_password(&url(), "wr0ng")).expect("a URL");
    let error = lazy.instances().await.expect_err("a wrong password");
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
    assert!(!format!("{error:?} {lazy:?}").contains("wr0ng"));
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let error = PostgresStore::connect(&with_database(&url(), "no_such_database")).await.expect_err("no such database");
    assert!(matches!(error, PostgresError::MissingDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("has no database `no_such_database`"), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let url = format!("postgres://u:s3cret@127.0.0.1:{port}/db");
    let error = PostgresStore::connect(&url).await.expect_err("nobody listens");
    assert!(matches!(error, PostgresError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("`127.0.0.1:{port}` can't be reached")), "{error}");
    let error = PostgresStore::connect_lazy(&url).expect("a URL").instances().await.expect_err("nobody listens");
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

#[test]
fn a_schema_name_is_checked() {
    let store = || PostgresStore::connect_lazy("postgres://u@h/db").expect("a URL");
    for bad in ["", "1a", "A", "a-b", "a\"b", "a.b", &"a".repeat(64)] {
        assert!(matches!(store().with_schema(bad), Err(PostgresError::SchemaName { .. })), "{bad}");
    }
    assert!(store().with_schema(&"a".repeat(63)).is_ok());
}

#[tokio::test]
async fn the_search_path_is_the_default_schema() {
    let schema = Schema::new();
    schema.store().await;
    let mark = if schema.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}options=-csearch_path%3D{}", schema.url, schema.name);
    let store = PostgresStore::connect(&url).await.expect("the tables are there");
    assert_eq!(store.instances().await.expect("the table is found"), []);
}

fn tls_url(parameters: &str) -> String {
    let url = std::env::var("DATABASE_TLS_URL")
        .expect("DATABASE_TLS_URL is not set: run `cargo xtask test`, which starts a server with a certificate");
    let base = url.split('?').next().expect("a URL").to_owned();
    format!("{base}?{parameters}")
}

fn tls_ca() -> String {
    std::env::var("TEST_TLS_CA_FILE")
        .expect("TEST_TLS_CA_FILE is not set: run `cargo xtask test`, which makes a certificate")
}

/// Whether a connection by these parameters is encrypted, or why there is none.
async fn is_encrypted(parameters: &str) -> Result<bool, PostgresError> {
    let (client, connection) = PostgresConfig::parse(&tls_url(parameters))?.connect().await?;
    tokio::spawn(connection);
    let row = client
        .query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[])
        .await
        .expect("the server says whether");
    Ok(row.get(0))
}

#[tokio::test]
async fn tls_is_used_as_the_mode_says() {
    assert!(is_encrypted("sslmode=require").await.expect("unverified"));
    assert!(is_encrypted("sslmode=prefer").await.expect("unverified"));
    assert!(is_encrypted(&format!("sslmode=verify-ca&sslrootcert={}", tls_ca())).await.expect("the chain holds"));
    assert!(is_encrypted(&format!("sslmode=verify-full&sslrootcert={}", tls_ca())).await.expect("the name holds"));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let error = is_encrypted("sslmode=verify-full").await.expect_err("not the system's");
    assert!(matches!(error, PostgresError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("check `sslmode` and `sslrootcert`"), "{error}");
}
