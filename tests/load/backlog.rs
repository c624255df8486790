//! Thousands of rows that wait all at once.

use scheduler::{
    context::JobContext,
    job::{Job, JobBuilder, OverlapPolicy},
};
use scheduler_tests::Database;

use crate::{ALONE, bodies::Bodies, instances::Instances, wait_for};

/// Half of them are one job's, and may run beside each other; the others are of jobs that run them one after the other.
const ROWS: usize = 5_000;
const JOBS_IN_TURN: usize = 500;

/// A row needs a share of the looks, of the takes and of the outcomes.
const MOST_STATEMENTS: f64 = 0.5;

fn jobs(bodies: &Bodies) -> Vec<Job> {
    let with_body = |job: JobBuilder| {
        let bodies = bodies.clone();
        job.run(move |context: JobContext| {
            let bodies = bodies.clone();
            async move { bodies.start(&context) }
        })
    };
    let in_turn = (0..JOBS_IN_TURN).map(|index| with_body(Job::builder(format!("job-{index}")).manual()));
    let beside = with_body(Job::builder("beside").manual().overlap(OverlapPolicy::Allow));
    in_turn.chain([beside]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_runs_once_a_row_in_few_statements() {
    let _alone = ALONE.lock().await;
    let database = Database::create().await;
    let bodies = Bodies::default();
    let running = Instances::start(&database, 1, false, || jobs(&bodies)).await;
    let before = running.proxy.statements();
    // Each has an instant of its own, so that the bodies tell them apart.
    let insert = format!(
        "INSERT INTO job_executions
             (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, created_at)
         SELECT CASE WHEN n % 2 = 0 THEN 'beside' ELSE 'job-' || n / 2 % {JOBS_IN_TURN} END, 'm:' || n, 1, 1, 'manual',
                'pending', at, at, at
         FROM (SELECT n, date_trunc('second', clock_timestamp()) - ({ROWS} - n) * interval '1 millisecond' AS at
               FROM generate_series(0, {ROWS} - 1) AS n) AS waiting"
    );
    database.client.batch_execute(&insert).await.expect("the rows are written");
    let ended = "SELECT count(*) FROM job_executions WHERE status NOT IN ('pending', 'running')";
    wait_for(&database, ended, i64::try_from(ROWS).expect("not many")).await;
    let statements = running.proxy.statements() - before;
    running.stop().await;

    let succeeded = database.number("SELECT count(*) FROM job_executions WHERE status = 'succeeded'").await;
    let described = format!("{succeeded} succeeded, {} bodies, {statements} statements", bodies.count());
    assert_eq!((succeeded.unsigned_abs(), bodies.count()), (ROWS as u64, ROWS), "some did not run: {described}");
    assert!(bodies.doubled().is_empty() && bodies.early().is_empty(), "{described}");
    assert!(statements as f64 <= MOST_STATEMENTS * ROWS as f64, "too many statements: {described}");
    database.drop().await;
}
