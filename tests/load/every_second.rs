//! A thousand jobs due each second, for ten seconds.

use std::time::Duration;

use scheduler::{
    clock::{Clock as _, SystemClock},
    context::JobContext,
    job::{CatchUp, Job, OverlapPolicy},
};
use scheduler_tests::Database;

use crate::{ALONE, bodies::Bodies, instances::Instances, wait_for};

const JOBS: usize = 1_000;

/// As many of four instances, which share the test's machine: each of them looks at all of them.
const JOBS_OF_FOUR: usize = 500;
const SECONDS: i64 = 10;

/// Nothing is missed because a machine is slow: an occurrence may start as late as this, and is caught up after.
const DEADLINE: Duration = Duration::from_secs(30);

fn jobs(count: usize, overlap: OverlapPolicy, bodies: &Bodies) -> Vec<Job> {
    let job = |index| {
        let bodies = bodies.clone();
        Job::builder(format!("job-{index}"))
            .cron("* * * * * *")
            .overlap(overlap)
            .start_deadline(DEADLINE)
            .catch_up(CatchUp::All)
            .catch_up_window(2 * DEADLINE)
            .run(move |context: JobContext| {
                let bodies = bodies.clone();
                async move { bodies.start(&context) }
            })
    };
    (0..count).map(job).collect()
}

/// Occurrences of the window by what became of them, and what else was counted.
#[derive(Debug)]
struct Counts {
    due: usize,
    /// Those that a body saw.
    ran: usize,
    /// Those whose row says that one ran to its end.
    succeeded: usize,
    /// Those that met the last run of their job.
    skipped: usize,
    /// Bodies in the time in which the statements were counted.
    executions: usize,
    statements: u64,
}

impl Counts {
    fn statements_an_execution(&self) -> f64 {
        self.statements as f64 / self.executions as f64
    }
}

/// Runs the jobs, and holds what is promised however they may overlap.
async fn load(count: usize, (instances, redis): (usize, bool), overlap: OverlapPolicy) -> Counts {
    let _alone = ALONE.lock().await;
    let database = Database::create().await;
    let bodies = Bodies::default();
    let running = Instances::start(&database, instances, redis, || jobs(count, overlap, &bodies)).await;
    // The first second that all instances are there for, once the first have warmed everything up.
    let from = SystemClock.now().timestamp() + 3;
    let to = from + SECONDS;
    let until = |second: i64| Duration::from_secs((second - SystemClock.now().timestamp()).try_into().unwrap_or(0));
    tokio::time::sleep(until(from)).await;
    let before = (running.proxy.statements(), bodies.count());
    tokio::time::sleep(until(to)).await;

    let rows = |what: &str| {
        format!(
            "SELECT count(*) FROM job_executions WHERE attempt = 1 AND {what}
             AND scheduled_at >= to_timestamp({from}) AND scheduled_at < to_timestamp({to})"
        )
    };
    let due = count * usize::try_from(SECONDS).expect("some seconds");
    wait_for(&database, &rows("status NOT IN ('pending', 'running')"), i64::try_from(due).expect("not many")).await;
    let (statements, executions) = (running.proxy.statements() - before.0, bodies.count() - before.1);
    running.stop().await;

    let number = async |query: String| usize::try_from(database.number(&query).await).expect("a count");
    let counts = Counts {
        due,
        ran: bodies.ran(from..to),
        succeeded: number(rows("status = 'succeeded'")).await,
        skipped: number(rows("status = 'skipped' AND missed_from IS NULL")).await,
        executions,
        statements,
    };
    assert_eq!(counts.ran + counts.skipped, due, "some did not run: {counts:?}");
    assert_eq!(counts.succeeded, counts.ran, "rows and bodies say the same: {counts:?}");
    assert_eq!((bodies.doubled(), bodies.early()), (Vec::new(), Vec::new()), "{counts:?}");
    let abandoned = number("SELECT count(*) FROM job_executions WHERE status = 'abandoned'".to_owned()).await;
    assert_eq!(abandoned, 0, "{counts:?}");
    database.drop().await;
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_runs_all_of_a_thousand_jobs_each_second_in_few_statements() {
    let counts = load(JOBS, (1, false), OverlapPolicy::Allow).await;
    assert_eq!(counts.ran, counts.due, "{counts:?}");
    assert!(counts.statements_an_execution() <= 0.2, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_instances_behind_redis_run_all_of_their_jobs_each_second_in_few_statements() {
    let counts = load(JOBS_OF_FOUR, (4, true), OverlapPolicy::Allow).await;
    assert_eq!(counts.ran, counts.due, "{counts:?}");
    assert!(counts.statements_an_execution() <= 0.5, "{counts:?}");
}

/// On a slow machine an occurrence may meet the run before it, and has a row that says so, for as few statements.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_jobs_each_second_nothing_is_left_out_but_what_meets_its_own_last_run() {
    let counts = load(JOBS, (1, false), OverlapPolicy::Skip).await;
    assert!(counts.statements as f64 <= 0.5 * counts.due as f64, "{counts:?}");
}
