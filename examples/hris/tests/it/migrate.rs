//! `hris migrate`, by the program itself.

use std::process::{Command, Stdio};

use crate::database::Database;

/// What the program printed and said, and its exit code.
struct Answer {
    code: Option<i32>,
    printed: String,
    said: String,
}

/// Runs `hris migrate` with these arguments, on this database.
async fn migrate(url: &str, arguments: &[&str]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hris"));
    for (name, _) in std::env::vars() {
        if ["REDIS_URL", "RUST_LOG"].contains(&&*name) || name.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command.arg("migrate").args(arguments).env("DATABASE_URL", url).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = output.expect("the program can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Answer { code: output.status.code(), printed: text(output.stdout), said: text(output.stderr) }
}

async fn tables(database: &Database) -> i64 {
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
    database.client.query_one(sql, &[]).await.expect("a count").get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_makes_the_tables_and_says_what_it_did() {
    let database = Database::create().await;
    let before = migrate(&database.url, &["--check"]).await;
    assert_eq!(before.code, Some(3), "{}", before.said);
    assert!(before.printed.contains("they have to be migrated"), "{}", before.printed);
    assert!(before.printed.ends_with("the table `attendances` is missing\n"), "{}", before.printed);
    assert_eq!(tables(&database).await, 0, "a check changes nothing");

    let done = migrate(&database.url, &[]).await;
    assert_eq!(done.code, Some(0), "{}", done.said);
    for line in [
        "applied version 1: executions\n",
        "applied version 12: ",
        "made the table `attendances`\n",
        " are at version ",
    ] {
        assert!(done.printed.contains(line), "{line}: {}", done.printed);
    }
    assert_eq!(database.count("true").await, 0, "the service's own table is there");

    let after = migrate(&database.url, &["--check"]).await;
    assert_eq!(after.code, Some(0), "{}{}", after.printed, after.said);
    let again = migrate(&database.url, &[]).await;
    assert!(again.printed.starts_with("there was nothing to do\n") && again.code == Some(0), "{}", again.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_prints_sql_that_psql_runs_to_the_end() {
    let database = Database::create().await;
    let sql = migrate(&database.url, &["--sql"]).await;
    assert_eq!(sql.code, Some(0), "{}", sql.said);
    assert_eq!(tables(&database).await, 0, "printing changes nothing");
    let file = std::env::temp_dir().join(format!("{}.sql", uuid::Uuid::new_v4()));
    std::fs::write(&file, &sql.printed).expect("a file is written");
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-d", &database.url, "-f"]).arg(&file).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || psql.output()).await.expect("no panic");
    let output = output.expect("psql comes with PostgreSQL");
    std::fs::remove_file(file).expect("it is removed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let check = migrate(&database.url, &["--check"]).await;
    assert_eq!(check.code, Some(0), "{}{}", check.printed, check.said);
    assert!(check.printed.contains("nothing is missing"), "{}", check.printed);
    let nothing = migrate(&database.url, &["--sql"]).await.printed;
    assert!(nothing.starts_with("-- Nothing is missing") && !nothing.contains("CREATE"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_draws_a_new_identity_only_when_it_is_asked_to() {
    let database = Database::create().await;
    let identity = async || -> String {
        let sql = "SELECT id::text FROM scheduler_identity";
        database.client.query_one(sql, &[]).await.expect("it was drawn").get(0)
    };
    migrate(&database.url, &[]).await;
    let first = identity().await;
    migrate(&database.url, &[]).await;
    assert_eq!(identity().await, first);
    let drawn = migrate(&database.url, &["--new-identity"]).await;
    assert_eq!(drawn.code, Some(0), "{}", drawn.said);
    let second = identity().await;
    assert_ne!(second, first);
    assert!(drawn.printed.ends_with(&format!("is {second} now, and was {first}\n")), "{}", drawn.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_says_what_is_wrong_and_never_the_password() {
    let database = Database::create().await;
    let (head, tail) = database.url.split_once('@').expect("a user");
    let (scheme, user) = head.split_once("://").expect("a scheme");
    let user = user.split(':').next().expect("a name");
    let wrong = migrate(&format!("{scheme}://{user}:hunter2@{tail}"), &[]).await;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.said.contains("check the user name and the password"), "{}", wrong.said);
    assert!(!wrong.said.contains("hunter2") && wrong.printed.is_empty(), "{}", wrong.said);
    let none = migrate("", &["--check"]).await;
    assert!(none.code == Some(1) && none.said.contains("`DATABASE_URL` is not set"), "{}", none.said);
    let called = migrate(&database.url, &["--dry-run"]).await;
    assert!(called.code == Some(2) && called.said.contains("unknown argument `--dry-run`"), "{}", called.said);
}
