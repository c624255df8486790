//! An operator with a heavy hand.

use std::process::ExitCode;

use scheduler_tests::connect;

use crate::setting;

pub(crate) async fn run(what: &str) -> ExitCode {
    match what {
        "backends" => {
            let client = connect(&setting("DATABASE_URL")).await;
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                          WHERE datname = current_database() AND pid <> pg_backend_pid()";
            client.batch_execute(others).await.expect("its owner may");
        }
        "flush" => drop(redis(&["FLUSHALL"])),
        "delete" => {
            for key in keys() {
                redis(&["DEL", &key]);
            }
        }
        "spoil" => {
            for key in keys() {
                redis(&["DEL", &key]);
                redis(&["SADD", &key, "spoiled"]);
            }
        }
        _ => return crate::usage(),
    }
    ExitCode::SUCCESS
}

fn keys() -> Vec<String> {
    redis(&["KEYS", "*"]).lines().map(str::to_owned).collect()
}

/// Asks Redis as an operator does.
fn redis(arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("redis-cli");
    command.args(["-u", &setting("REDIS_URL"), "--no-auth-warning"]).args(arguments);
    let output = command.output().expect("redis-cli comes with Redis");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
