//! One run of due jobs: instances start on an empty database, run for a while, and stop.

use std::{ops::Range, time::Duration};

use scheduler::postgres::PostgresStore;
use scheduler_benches::wall_clock;
use scheduler_tests::{Database, server};

use crate::{
    costs::Costs,
    fleet::Fleet,
    instance::{Jobs, Spec},
    rows::{self, Rows},
    runs::{Run, Tally, Window},
    server::Server,
};

/// How long before a second costs are read: what the second before brought is done then, if it is done in time at all.
const LULL: Duration = Duration::from_millis(300);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) jobs: Jobs,
    pub(crate) count: u32,
    pub(crate) instances: usize,
    pub(crate) redis: bool,
    pub(crate) seconds: u32,
    /// How many executions of the same jobs lie in the history before.
    pub(crate) history: u32,
}

/// What was measured of it.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) case: Case,
    pub(crate) due: i64,
    pub(crate) tally: Tally,
    pub(crate) rows: Rows,
    /// Bodies that started a second.
    pub(crate) started_per_second: f64,
    /// Executions whose outcome was written a second.
    pub(crate) ended_per_second: f64,
    pub(crate) costs: Option<Costs>,
    /// Why there is less here than there should be.
    pub(crate) problems: Vec<String>,
}

impl Measured {
    fn failed(case: Case, problem: String) -> Self {
        Self {
            case,
            due: 0,
            tally: Tally::default(),
            rows: Rows::default(),
            started_per_second: 0.0,
            ended_per_second: 0.0,
            costs: None,
            problems: vec![problem],
        }
    }

    /// Occurrences that nobody ran, though no other execution of their job stood in their way.
    pub(crate) fn missed(&self) -> i64 {
        self.due - self.tally.run - self.rows.of(&["skipped"])
    }
}

impl Case {
    pub(crate) fn spec(&self, database: &Database) -> Spec {
        Spec {
            jobs: self.jobs,
            count: self.count,
            database_url: Some(database.url()),
            redis: self.redis.then(|| (server("REDIS_URL"), database.name().to_owned())),
            runs_file: Default::default(),
        }
    }

    pub(crate) async fn measure(self, server: &Server) -> Measured {
        let database = Database::create().await;
        let measured = self.run(server, &database).await;
        database.drop().await;
        measured.unwrap_or_else(|problem| Measured::failed(self, problem))
    }

    async fn run(self, server: &Server, database: &Database) -> Result<Measured, String> {
        if self.history > 0 {
            self.fill(database).await?;
        }
        server.settle().await;
        let mut fleet = Fleet::start(&self.spec(database), self.instances)?;
        let window = self.window();
        sleep_until(seconds(window.from) - LULL).await;
        let (begin, cpu, spent) = (wall_clock(), fleet.cpu(), server.spent(database.name()).await);
        sleep_until(seconds(window.to) - LULL).await;
        let (end, cpu, spent) =
            (wall_clock(), fleet.cpu().saturating_sub(cpu), server.spent(database.name()).await.since(spent));
        // Until the last occurrence may start no more, and retries have come.
        sleep_until(seconds(window.to + window.period + 2)).await;
        let stopped = fleet.stop();

        let tally = Tally::of(&stopped.runs, window);
        let executions = count_between(&stopped.runs, begin..end);
        let took = (end - begin).as_secs_f64();
        let mut problems = stopped.problems;
        let rows = Rows::read(database, window).await.unwrap_or_else(|problem| {
            problems.push(problem);
            Rows::default()
        });
        Ok(Measured {
            case: self,
            due: i64::from(self.count) * window.occurrences(),
            tally,
            rows,
            started_per_second: executions as f64 / took,
            ended_per_second: rows::ended_per_second(database, begin.as_secs_f64(), end.as_secs_f64()).await,
            costs: Costs::of(executions, cpu, spent),
            problems,
        })
    }

    /// From a second that all instances are there for.
    fn window(&self) -> Window {
        let period = self.jobs.period();
        let soon = i64::try_from(wall_clock().as_secs()).expect("a time of this century") + 2;
        // The first occurrences warm everything up.
        let from = (soon + period - 1).div_euclid(period) * period + period;
        let occurrences = (i64::from(self.seconds) / period).max(1);
        Window { from, to: from + occurrences * period, period }
    }

    /// Executions of the same jobs over the last year, all ended.
    async fn fill(&self, database: &Database) -> Result<(), String> {
        PostgresStore::connect(&database.url()).await.map_err(|error| error.to_string())?;
        let Self { history, count, .. } = self;
        let insert = format!(
            "INSERT INTO job_executions
                 (job_id, occurrence, attempt, max_attempts, origin, status, success, scheduled_at, not_before,
                  started_at, finished_at, duration_seconds, fence, instance_id, created_at)
             SELECT 'job-' || n % {count}, 's:' || floor(extract(epoch FROM at) * 1000)::bigint, 1, 4, 'schedule',
                    'succeeded', true, at, at, at, at + interval '5 milliseconds', 0.005, n,
                    '6f1f3f7e-0000-4000-8000-000000000001', at
             FROM (SELECT n, date_trunc('second', clock_timestamp()) - interval '1 day'
                             - ({history} - n) * (interval '364 days' / {history}) AS at
                   FROM generate_series(1, {history}) AS n) AS made;
             SELECT setval('execution_fences', {history});
             ANALYZE job_executions"
        );
        database.client.batch_execute(&insert).await.map_err(|error| format!("the history can't be written: {error}"))
    }
}

fn count_between(runs: &[Run], moments: Range<Duration>) -> i64 {
    let nanos = |moment: Duration| i64::try_from(moment.as_nanos()).expect("a time before 2262");
    let moments = nanos(moments.start)..nanos(moments.end);
    i64::try_from(runs.iter().filter(|run| moments.contains(&run.started_ns)).count()).unwrap_or(i64::MAX)
}

fn seconds(second: i64) -> Duration {
    Duration::from_secs(second.unsigned_abs())
}

async fn sleep_until(moment: Duration) {
    tokio::time::sleep(moment.saturating_sub(wall_clock())).await;
}
