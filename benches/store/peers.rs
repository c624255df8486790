//! Queues on the same PostgreSQL, each in the way its own documentation shows; run by a program of its own, as their
//! drivers take minutes to build.

use std::{env, process::Command};

use scheduler_tests::Database;
use serde_json::Value;

use crate::server::Server;

/// Where `cargo xtask bench store` puts the program that it has built.
const PROGRAM: &str = "QUEUE_PEERS";

/// What was measured of one.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    pub(crate) jobs: u32,
    pub(crate) done: u64,
    pub(crate) per_second: f64,
    pub(crate) client_us: f64,
    /// With what queueing them cost, as our rows are written twice as well.
    pub(crate) server_us: Option<f64>,
    pub(crate) wal_bytes: f64,
}

const PEERS: [(&str, &str); 2] = [
    ("apalis-postgres", "apalis-postgres 1.0.0, batches of 100"),
    ("graphile-worker", "graphile_worker 0.14.1, 100 at once, local queue of 1,000, batched completion"),
];

/// All that can be run; of each other why not.
pub(crate) async fn measure(server: &Server, jobs: u32) -> Vec<Result<Queue, String>> {
    let Some(program) = env::var_os(PROGRAM) else {
        return vec![Err(format!(
            "`{PROGRAM}` is not set: `cargo xtask bench store` builds the program, or says why not"
        ))];
    };
    let mut measured = Vec::new();
    for (argument, name) in PEERS {
        let database = Database::create().await;
        server.settle().await;
        let before = server.spent(database.name()).await;
        let output =
            Command::new(&program).args([argument, &jobs.to_string()]).env("DATABASE_URL", database.url()).output();
        let spent = server.spent(database.name()).await.since(before);
        database.drop().await;
        measured.push(output.map_err(|error| format!("{name}: {error}")).and_then(|output| {
            let value: Value = serde_json::from_slice(&output.stdout)
                .map_err(|_| format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))?;
            let each = |all: f64| all / f64::from(jobs);
            Ok(Queue {
                name,
                jobs,
                done: value["done"].as_u64().unwrap_or(0),
                per_second: value["per_second"].as_f64().unwrap_or(f64::NAN),
                client_us: value["client_us"].as_f64().unwrap_or(f64::NAN),
                server_us: spent.cpu.map(|cpu| each(cpu.as_secs_f64() * 1e6)),
                wal_bytes: each(spent.wal_bytes as f64),
            })
        }));
    }
    measured
}
