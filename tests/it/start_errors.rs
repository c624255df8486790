//! What keeps a service from starting: it says so, without a secret, and ends.

use scheduler_tests::{Database, Process, server};

/// Starts `hris` with these variables, which must fail, and answers what it said.
fn fails_to_start(variables: &[(&str, &str)]) -> String {
    let mut variables = variables.to_vec();
    variables
        .extend([("HRIS_HTTP_ADDR", "127.0.0.1:0"), ("HRIS_JWT_SECRET", "a secret that nobody may ever see printed")]);
    let mut process = Process::start("hris", &[], &variables);
    assert_eq!(process.exit_code(), 1);
    let said = process.printed();
    for secret in ["wr0ng-p4ssword", "that nobody may ever see"] {
        assert!(!said.contains(secret), "a secret is printed: {said}");
    }
    said
}

/// A URL with another password.
fn with_wrong_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (user, place) = rest.rsplit_once('@').map_or(("", rest), |(user, place)| (user, place));
    let name = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{name}:wr0ng-p4ssword@{place}")
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_that_can_not_be_had_are_told_with_what_to_do() {
    let said = fails_to_start(&[("DATABASE_URL", "postgres://hris:wr0ng-p4ssword@127.0.0.1:1/hris")]);
    assert!(
        said.contains("DATABASE_URL") && said.contains("127.0.0.1:1") && said.contains("can't be reached"),
        "{said}"
    );
    let said = fails_to_start(&[("DATABASE_URL", &with_wrong_password(&server("DATABASE_URL")))]);
    assert!(said.contains("check the user name and the password"), "{said}");
    let said = fails_to_start(&[("REDIS_URL", "redis://:wr0ng-p4ssword@127.0.0.1:1")]);
    assert!(
        said.contains("REDIS_URL") && said.contains("127.0.0.1:1") && said.contains("nothing listens there"),
        "{said}"
    );
    let said = fails_to_start(&[("REDIS_URL", &with_wrong_password(&server("REDIS_URL")))]);
    assert!(said.contains("password is wrong"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_newer_than_the_code_is_left_alone() {
    let database = Database::create().await;
    let url = database.url();
    // The schema as this code makes it, then a migration of a later version's.
    scheduler::postgres::PostgresStore::connect(&url).await.expect("a new database");
    let newer = "INSERT INTO scheduler_migrations (version, name, applied_on, checksum)
                 SELECT 999, 'from_the_future', applied_on, checksum FROM scheduler_migrations LIMIT 1";
    database.client.execute(newer, &[]).await.expect("refinery's table");
    let said = fails_to_start(&[("DATABASE_URL", &url)]);
    assert!(said.contains("999") && said.contains("newer"), "{said}");
    database.drop().await;
}

#[test]
fn every_mistake_in_the_environment_is_told_at_once() {
    let said = fails_to_start(&[
        ("DATABASE_URL", "mysql://root:wr0ng-p4ssword@db"),
        ("REDIS_URL", "http://wr0ng-p4ssword@cache"),
        ("WORKFORCE_GRPC_URL", "ftp://x"),
    ]);
    for variable in ["DATABASE_URL", "REDIS_URL", "WORKFORCE_GRPC_URL"] {
        assert!(said.contains(variable), "{variable} is missing: {said}");
    }
}

#[test]
fn an_unknown_argument_is_a_usage_error() {
    let mut process = Process::start("hris", &["serve"], &[]);
    assert_eq!(process.exit_code(), 2);
    assert!(process.printed().contains("unknown argument `serve`"), "{}", process.printed());
}
