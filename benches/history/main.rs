//! What an operator's pages cost over a long history: the dashboard's list of jobs, and one job's history far back.
//!
//! `cargo xtask bench history [-- --rows 1000000 --rounds 200]`. A database of the benchmark's own is filled with executions of
//! 50 jobs, then each page is asked of the router, without a network, as often as there are rounds. The figures are the
//! server's time. How often a page goes to PostgreSQL is counted by a proxy, and which tables were read through without an
//! index by PostgreSQL itself.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod pages;

use std::process::ExitCode;

use pages::Pages;
use scheduler_benches::{Table, quantile};
use scheduler_tests::{Database, Proxy};

/// How many jobs the goal is for, and a few, of which a page must not ask less often.
const JOBS: [usize; 2] = [50, 10];

/// How deep into a job's history is read, in rows, where it has as many.
const DEPTH: u32 = 50_000;

/// What was asked for.
#[derive(Debug)]
struct Options {
    rows: u32,
    rounds: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match parse(&arguments) {
        Ok(options) => {
            measure(&options).await;
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}\nusage: history [--rows N] [--rounds N]");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { rows: 1_000_000, rounds: 200 };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = value.parse::<u32>().map_err(|error| format!("`{name} {value}`: {error}"))?;
        match name.as_str() {
            "--rows" => options.rows = number.max(2_000),
            "--rounds" => options.rounds = number.max(1) as usize,
            _ => return Err(format!("unknown option `{name}`")),
        }
    }
    Ok(options)
}

async fn measure(options: &Options) {
    let mut table = Table::new(&[
        "page",
        "jobs",
        "p50, ms",
        "p95, ms",
        "goal, p95",
        "trips to PostgreSQL",
        "tables read without an index",
    ]);
    for jobs in JOBS {
        let database = Database::create().await;
        let (proxy, url) = Proxy::in_front_of(&database.url()).await;
        let pages = Pages::open(&url, jobs).await;
        fill(&database, options.rows, jobs).await;
        // The busiest job has more than a fifth of the rows.
        let depth = DEPTH.min(options.rows / 10);
        let history = pages.deep(depth).await;
        let deep = format!("history, {depth} deep");
        for (name, path, goal) in [("jobs", "/", "30"), (deep.as_str(), history.as_str(), "10")] {
            let scans = scans(&database).await;
            let trips = pages.trips(path, &proxy).await;
            let mut times = Vec::with_capacity(options.rounds);
            for _ in 0..options.rounds {
                times.push(pages.get(path).await.as_secs_f64() * 1_000.0);
            }
            times.sort_by(f64::total_cmp);
            let scans = self::scans(&database).await - scans;
            table.row([
                name.to_owned(),
                jobs.to_string(),
                format!("{:.1}", quantile(&times, 0.5)),
                format!("{:.1}", quantile(&times, 0.95)),
                goal.to_owned(),
                trips.to_string(),
                scans.to_string(),
            ]);
        }
        pages.close().await;
        database.drop().await;
    }
    println!("{} executions, {} rounds\n\n{table}", options.rows, options.rounds);
}

/// Fills the history: a fifth of it is the first job's own, the rest every job's in turn; one in ten failed.
async fn fill(database: &Database, rows: u32, jobs: usize) {
    let insert = format!(
        "INSERT INTO job_executions
             (job_id, occurrence, attempt, max_attempts, origin, status, success, message, scheduled_at, not_before,
              started_at, finished_at, duration_seconds, fence, instance_id, created_at)
         SELECT 'job-' || CASE WHEN n % 5 = 0 THEN 0 ELSE n % {jobs} END, 's:' || (1700000000000 + n * 1000), 1, 4, 'schedule',
                CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'succeeded' END, n % 10 <> 0, 'created 150, skipped 0',
                at, at, at, at + interval '1 second', 1, n, '6f1f3f7e-0000-4000-8000-000000000001', at
         FROM (SELECT n, clock_timestamp() - interval '30 days' + n * interval '2 seconds' AS at
               FROM generate_series(1, {rows}) AS n) AS made"
    );
    database.client.batch_execute(&insert).await.expect("the rows are written");
    database.client.batch_execute("VACUUM ANALYZE job_executions").await.expect("the table is analyzed");
}

/// How often the history was read through from its beginning to its end.
async fn scans(database: &Database) -> i64 {
    // What a connection has counted is told some time after.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    database.number("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'job_executions'").await
}
