//! What `cargo xtask check-ledger` says of a database that is as it should be, and of each kind of damage.

use std::{process::Command, time::Duration};

use scheduler::{
    RunningScheduler, Scheduler,
    event::Event,
    job::{CatchUp, Job},
    postgres::PostgresStore,
    prelude::{Attempt, JobError, JobResult},
    status::Status,
};
use scheduler_tests::{
    Database,
    ledger::{self, LedgerSpan},
};

const SECOND: Duration = Duration::from_secs(1);

/// A job of each second, whose first attempts fail.
fn job() -> Job {
    let job = Job::builder("job").every(SECOND).catch_up(CatchUp::Skip).retries(1).retry_delay(Duration::ZERO);
    job.run(|Attempt(number): Attempt| async move {
        if number == 1 { JobResult::<()>::Err(JobError::new("not yet")) } else { Ok(()) }
    })
}

/// Runs the job until so many of its occurrences have succeeded.
async fn run(url: &str, times: usize) -> RunningScheduler {
    let store = PostgresStore::connect(url).await.expect("the database answers");
    let scheduler = Scheduler::builder(store).jobs([job()]).build().expect("a valid job").start().await;
    let scheduler = scheduler.expect("the store answers");
    let mut events = scheduler.handle().events();
    let succeed = async {
        let mut seen = 0;
        while seen < times {
            let event = events.recv().await.expect("it goes on");
            seen += usize::from(matches!(event, Event::Finished { status: Status::Succeeded, .. }));
        }
    };
    tokio::time::timeout(60 * SECOND, succeed).await.expect("they succeed within a minute");
    scheduler
}

/// A history with retries, what they kept from running, and a range that was missed while nobody ran.
async fn history() -> Database {
    let database = Database::create().await;
    run(&database.url(), 3).await.shutdown(5 * SECOND).await;
    tokio::time::sleep(5 * SECOND).await;
    run(&database.url(), 5).await.shutdown(5 * SECOND).await;
    // The last one may have started some milliseconds before its instant (R1), and what is to come is not looked at.
    database.client.batch_execute("SELECT pg_sleep(0.1)").await.expect("a moment");
    assert!(database.number("SELECT count(*) FROM job_executions WHERE missed_count > 1").await > 0);
    // A later version's words come with its own step.
    let unchecked = "ALTER TABLE job_executions DROP CONSTRAINT job_executions_status_check";
    database.client.batch_execute(unchecked).await.expect("unchecked");
    database
}

/// What is said of the database once this was done to it, and of none of it afterwards.
async fn said_of(database: &Database, damage: &str, span: &LedgerSpan) -> Vec<String> {
    database.client.batch_execute("BEGIN").await.expect("begun");
    let done = database.client.execute(damage, &[]).await.unwrap_or_else(|error| panic!("{damage}: {error:?}"));
    assert_eq!(done, 1, "{damage}");
    let report = ledger::check(&database.client, span).await.expect("it can be read");
    database.client.batch_execute("ROLLBACK").await.expect("undone");
    report.violations.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_a_run_is_whole_and_each_damage_is_told() {
    let database = history().await;
    let whole = LedgerSpan::default();
    let in_pages = LedgerSpan { page: 2, ..LedgerSpan::default() };
    for span in [&whole, &in_pages] {
        let report = ledger::check(&database.client, span).await.expect("it can be read");
        assert_eq!(report.violations.iter().collect::<Vec<_>>(), Vec::<&String>::new(), "{span:?}");
        assert_eq!(report.jobs, 1);
        let rows = database.number("SELECT count(*) FROM job_executions").await;
        assert_eq!(i64::try_from(report.executions), Ok(rows), "{span:?}");
    }
    // The second occurrence that succeeded at its second attempt.
    let second =
        "(SELECT id FROM job_executions WHERE attempt = 2 AND status = 'succeeded' ORDER BY id OFFSET 1 LIMIT 1)";
    let first = "(SELECT f.id FROM job_executions AS f JOIN job_executions AS s USING (job_id, occurrence)
                  WHERE f.attempt = 1 AND s.id = SECOND)";
    let range = "(SELECT id FROM job_executions WHERE missed_count > 1 LIMIT 1)";
    for (damage, invariant, words) in [
        ("DELETE FROM job_executions WHERE id = RANGE", "no_hole", "nothing was decided of"),
        ("UPDATE job_executions SET missed_count = missed_count + 1 WHERE id = RANGE", "once", "and it says"),
        (
            "UPDATE job_executions SET missed_from = scheduled_at + interval '1 hour' WHERE id = RANGE",
            "state",
            "its range is none",
        ),
        (
            "UPDATE job_executions SET scheduled_at = scheduled_at + interval '7 ms' WHERE id = RANGE",
            "not_invented",
            "the trigger does not name",
        ),
        (
            "UPDATE job_executions SET started_at = scheduled_at - interval '1 second' WHERE id = FIRST",
            "in_time",
            "before its time",
        ),
        (
            "UPDATE job_executions SET created_at = created_at + interval '1 hour' WHERE id = FIRST",
            "in_time",
            "after its start deadline",
        ),
        (
            "UPDATE job_executions SET finished_at = finished_at + interval '1 hour' WHERE id = SECOND",
            "one_at_a_time",
            "it started while execution",
        ),
        ("UPDATE job_executions SET attempt = 3 WHERE id = SECOND", "attempts", "stands where 2 should"),
        (
            "UPDATE job_executions SET status = 'succeeded', success = true WHERE id = FIRST",
            "attempts",
            "it follows on one that was succeeded",
        ),
        ("UPDATE job_executions SET fence = 0 WHERE id = SECOND", "fences", "whose fence is lower"),
        (
            "UPDATE job_executions SET status = 'pending', success = false WHERE id = SECOND",
            "state",
            "it waits, and has run",
        ),
        ("UPDATE job_executions SET instance_id = NULL WHERE id = SECOND", "state", "without start, end, fence"),
        ("UPDATE job_executions SET status = 'bananas', success = false WHERE id = SECOND", "unread", "`bananas`"),
        ("UPDATE job_revisions SET trigger = 'whenever'", "unread", "trigger `whenever`"),
    ] {
        let damage = damage.replace("FIRST", first).replace("SECOND", second).replace("RANGE", range);
        for span in [&whole, &in_pages] {
            let said = said_of(&database, &damage, span).await;
            let is_told = said.iter().any(|line| line.starts_with(invariant) && line.contains(words));
            assert!(is_told, "{damage}\nwith pages of {}: {said:#?}", span.page);
        }
    }
    let now = database.client.query_one("SELECT clock_timestamp()", &[]).await.expect("the time").get(0);
    let after = LedgerSpan { from: Some(now), ..LedgerSpan::default() };
    let damage = format!("DELETE FROM job_executions WHERE id = {range}");
    assert_eq!(said_of(&database, &damage, &after).await, Vec::<String>::new(), "it lies before the span");
    the_command_says_so(&database, &damage).await;
    database.drop().await;
}

/// The command's exit code, and what it prints.
async fn the_command_says_so(database: &Database, damage: &str) {
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_check-ledger"));
        let output = command.args(["--database-url", &database.url(), "--schema", "public"]).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, said) = tokio::task::block_in_place(check);
    assert!(code == Some(0) && said.contains("executions of 1 jobs: no violation"), "{code:?}: {said}");
    database.client.execute(damage, &[]).await.expect("done");
    let (code, said) = tokio::task::block_in_place(check);
    assert!(code == Some(1) && said.lines().count() > 1, "{code:?}: {said}");
    assert!(said.lines().all(|line| line.starts_with("no_hole: job `job`")), "{said}");
}
