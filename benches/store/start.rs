//! What starting with many jobs costs, and what waiting with them costs.

use std::time::Duration;

use scheduler_tests::Database;

use crate::{
    fleet::Fleet,
    instance::{Jobs, Spec},
    server::Server,
};

/// How long the processor time of waiting is counted.
const IDLE: Duration = Duration::from_secs(30);

/// Until what starting left behind has settled.
const SETTLE: Duration = Duration::from_secs(3);

/// How long each start took, or why there was none.
#[derive(Debug, Clone)]
pub(crate) struct Starts {
    pub(crate) jobs: u32,
    pub(crate) memory: Result<Duration, String>,
    /// With jobs that the store has never seen.
    pub(crate) new: Result<Duration, String>,
    /// With jobs that it knows.
    pub(crate) known: Result<Duration, String>,
}

/// Starts an instance three times.
pub(crate) async fn starts(server: &Server, jobs: u32) -> Starts {
    let database = Database::create().await;
    let memory = start_and_stop(&yearly(jobs, None));
    server.settle().await;
    let new = start_and_stop(&yearly(jobs, Some(&database)));
    server.settle().await;
    let known = start_and_stop(&yearly(jobs, Some(&database)));
    database.drop().await;
    Starts { jobs, memory, new, known }
}

fn start_and_stop(spec: &Spec) -> Result<Duration, String> {
    let fleet = Fleet::start(spec, 1)?;
    let took = fleet.start;
    fleet.stop();
    Ok(took)
}

/// What an instance uses in half a minute in which nothing is due.
pub(crate) async fn idle(jobs: u32) -> Result<Duration, String> {
    let database = Database::create().await;
    let measured = wait(&yearly(jobs, Some(&database))).await;
    database.drop().await;
    measured
}

async fn wait(spec: &Spec) -> Result<Duration, String> {
    let mut fleet = Fleet::start(spec, 1)?;
    tokio::time::sleep(SETTLE).await;
    let before = fleet.cpu();
    tokio::time::sleep(IDLE).await;
    let used = fleet.cpu().saturating_sub(before);
    fleet.stop();
    Ok(used)
}

fn yearly(jobs: u32, database: Option<&Database>) -> Spec {
    Spec {
        jobs: Jobs::Yearly,
        count: jobs,
        database_url: database.map(Database::url),
        redis: None,
        runs_file: Default::default(),
    }
}
