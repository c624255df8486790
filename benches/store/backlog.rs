//! Pending rows that wait all at once: how many a second are run.

use std::time::Duration;

use scheduler_benches::wall_clock;
use scheduler_tests::Database;

use crate::{case::Case, costs::Costs, fleet::Fleet, instance::Jobs, server::Server};

/// How long the rows may take before the rest of them is left.
const LONGEST: Duration = Duration::from_secs(60);

/// How often is looked whether any is left.
const LOOK: Duration = Duration::from_millis(100);

/// What was measured.
#[derive(Debug, Clone)]
pub(crate) struct Drained {
    pub(crate) case: Case,
    pub(crate) rows: u32,
    /// How many have ended.
    pub(crate) ended: i64,
    pub(crate) doubled: i64,
    /// From the rows' commit until the first body started: mostly the wait for an instance's next look.
    pub(crate) first: Option<Duration>,
    /// From the rows' commit until the last outcome.
    pub(crate) took: Duration,
    pub(crate) costs: Option<Costs>,
    pub(crate) problems: Vec<String>,
}

impl Drained {
    /// From the first start on: the rows are written behind the instances' backs, and wait for their next look.
    pub(crate) fn per_second(&self) -> f64 {
        self.ended as f64 / self.took.saturating_sub(self.first.unwrap_or_default()).as_secs_f64()
    }
}

/// Inserts the rows while the instances run, and waits until all have ended.
pub(crate) async fn drain(server: &Server, rows: u32, jobs: Jobs, shape: (usize, bool)) -> Drained {
    let count = if jobs == Jobs::Beside { 1 } else { (rows / 20).max(1) };
    let (instances, redis) = shape;
    let case = Case { jobs, count, instances, redis, seconds: 0, history: 0 };
    let database = Database::create().await;
    let drained = run(server, &database, case, rows).await;
    database.drop().await;
    drained.unwrap_or_else(|problem| Drained {
        case,
        rows,
        ended: 0,
        doubled: 0,
        first: None,
        took: LONGEST,
        costs: None,
        problems: vec![problem],
    })
}

async fn run(server: &Server, database: &Database, case: Case, rows: u32) -> Result<Drained, String> {
    let mut fleet = Fleet::start(&case.spec(database), case.instances)?;
    server.settle().await;
    let (cpu, spent) = (fleet.cpu(), server.spent(database.name()).await);
    let insert = format!(
        "INSERT INTO job_executions
             (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, created_at)
         SELECT 'job-' || n % {}, 'm:' || gen_random_uuid(), 1, 1, 'manual', 'pending', at, at, at
         FROM generate_series(1, {rows}) AS n, (SELECT clock_timestamp() AS at) AS now",
        case.count
    );
    database.client.batch_execute(&insert).await.map_err(|error| format!("no rows: {error}"))?;
    let begin = wall_clock();
    let left =
        "SELECT count(*) FROM (SELECT FROM job_executions WHERE status IN ('pending', 'running') LIMIT 1) AS any_left";
    while database.number(left).await > 0 && wall_clock() - begin < LONGEST {
        tokio::time::sleep(LOOK).await;
    }
    let cpu = fleet.cpu().saturating_sub(cpu);
    let ended = database.number("SELECT count(*) FROM job_executions WHERE finished_at IS NOT NULL").await;
    let spent = server.spent(database.name()).await.since(spent);
    let [first, last] = moments(database).await.map(|moment| moment.map(|moment| moment.saturating_sub(begin)));
    let took = if ended == i64::from(rows) { last.unwrap_or(LONGEST) } else { wall_clock() - begin };
    let stopped = fleet.stop();
    // The rows of a job share their instant: more starts than rows are what can be seen here.
    let started = i64::try_from(stopped.runs.len()).unwrap_or(i64::MAX);
    Ok(Drained {
        case,
        rows,
        ended,
        doubled: (started - i64::from(rows)).max(0),
        first,
        took,
        costs: Costs::of(ended, cpu, spent),
        problems: stopped.problems,
    })
}

/// When the first body started and the last outcome was written, since the epoch.
async fn moments(database: &Database) -> [Option<Duration>; 2] {
    let query = "SELECT extract(epoch FROM min(started_at))::float8, extract(epoch FROM max(finished_at))::float8
                 FROM job_executions";
    let row = database.client.query_one(query, &[]).await.expect("the table is there");
    [0, 1].map(|nth| row.get::<_, Option<f64>>(nth).map(Duration::from_secs_f64))
}
