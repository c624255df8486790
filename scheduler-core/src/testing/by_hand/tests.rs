use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::sync::Notify;

use super::*;
use crate::{
    context::JobContext,
    extract::ScheduledAt,
    job::{CatchUp, Job},
    outcome::{JobError, JobResult},
    status::{Reason, Status},
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn start() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().expect("an instant")
}

async fn scheduler(job: Job) -> ManualScheduler {
    ManualScheduler::start(start(), |it| it.jobs([job])).await.expect("a valid job")
}

fn request(job: &str) -> TriggerRequest {
    TriggerRequest::new(JobId::parse(job).expect("a valid id"))
}

/// The rows in a few words.
async fn words(scheduler: &ManualScheduler) -> Vec<String> {
    let reason = |row: &Execution| row.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let rows = scheduler.executions("job").await;
    rows.iter().map(|row| format!("{}{} #{}", row.status, reason(row), row.attempt)).collect()
}

#[tokio::test]
async fn each_occurrence_starts_at_its_instant_however_far_time_is_advanced() {
    let mut scheduler = scheduler(Job::builder("job").cron("30 7 * * *").run(|| async {})).await;
    scheduler.advance(DAY * 365).await;
    let rows = scheduler.executions("job").await;
    assert_eq!(rows.len(), 365);
    assert!(rows.iter().all(|row| row.started_at == Some(row.scheduled_at) && row.finished_at == row.started_at));
    assert_eq!(scheduler.clock().now(), start() + DAY * 365);
}

#[tokio::test]
async fn a_job_at_nine_runs_at_nine_on_its_zone_s_clock_of_today_s_rules() {
    let job = Job::builder("job").cron("0 9 * * *").tz(chrono_tz::America::Vancouver);
    let job = job.run(|at: ScheduledAt| async move { at.to_string() });
    let start = "2026-12-01T00:00:00Z".parse().expect("an instant");
    let mut scheduler = ManualScheduler::start(start, |it| it.jobs([job])).await.expect("a valid job");
    scheduler.advance(DAY).await;
    let rows = scheduler.executions("job").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].scheduled_at, "2026-12-01T16:00:00Z".parse::<DateTime<Utc>>().expect("an instant"));
    assert_eq!(rows[0].message.as_deref(), Some("2026-12-01 09:00:00 MST"));
}

#[tokio::test]
async fn an_occurrence_with_jitter_starts_at_its_earliest_start() {
    let mut scheduler = scheduler(Job::builder("job").cron("30 7 * * *").jitter(60 * MINUTE).run(|| async {})).await;
    scheduler.advance(DAY * 30).await;
    let rows = scheduler.executions("job").await;
    assert_eq!(rows.len(), 30);
    assert!(rows.iter().all(|row| row.started_at == Some(row.not_before)));
    assert!(rows.iter().any(|row| row.not_before > row.scheduled_at + 30 * MINUTE));
}

#[tokio::test]
async fn a_retry_waits_for_its_delay() {
    let job = Job::builder("job").cron("0 12 * * *").retries(2).retry_delay(7 * MINUTE);
    let job = job.run(|context: JobContext| async move {
        if context.attempt() < 3 { Err(JobError::new("not yet")) } else { JobResult::<()>::Ok(()) }
    });
    let mut scheduler = scheduler(job).await;
    scheduler.advance(DAY).await;
    assert_eq!(words(&scheduler).await, ["failed #1", "failed #2", "succeeded #3"]);
    let rows = scheduler.executions("job").await;
    assert_eq!(rows[2].started_at, Some(rows[0].scheduled_at + 14 * MINUTE));
}

#[tokio::test]
async fn advance_stands_still_for_a_body_that_waits_on_the_runtime() {
    let job = Job::builder("job").every(MINUTE).run(|| async { tokio::time::sleep(Duration::from_millis(3)).await });
    let mut scheduler = scheduler(job).await;
    scheduler.advance(5 * MINUTE).await;
    let rows = scheduler.executions("job").await;
    assert_eq!(words(&scheduler).await, ["succeeded #1"; 5]);
    assert!(rows.iter().all(|row| row.finished_at == Some(row.scheduled_at)), "no time went by meanwhile");
}

#[tokio::test]
async fn pass_lets_time_go_by_while_a_body_runs() {
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let job = Job::builder("job").every(MINUTE).run(move || {
        let gate = Arc::clone(&gate);
        async move { gate.notified().await }
    });
    let mut scheduler = scheduler(job).await;
    scheduler.pass(2 * MINUTE).await;
    assert_eq!(words(&scheduler).await, ["running #1", "skipped (overlap) #1"]);
    go_on.notify_one();
    scheduler.pass(Duration::ZERO).await;
    assert_eq!(words(&scheduler).await, ["succeeded #1", "skipped (overlap) #1"]);
}

#[tokio::test]
async fn a_timeout_comes_in_time_that_passes() {
    let job = Job::builder("job").manual().timeout(10 * MINUTE).retries(0).run(std::future::pending::<()>);
    let mut scheduler = scheduler(job).await;
    scheduler.handle().trigger(request("job")).await.expect("accepted");
    scheduler.pass(11 * MINUTE).await;
    assert_eq!(words(&scheduler).await, ["timed_out #1"]);
}

#[tokio::test]
async fn a_machine_that_slept_catches_up() {
    let job = Job::builder("job").cron("0 12 * * *").catch_up(CatchUp::Latest).run(|| async {});
    let mut scheduler = scheduler(job).await;
    scheduler.clock().advance(3 * DAY);
    scheduler.advance(MINUTE).await;
    let rows = scheduler.executions("job").await;
    let caught_up = rows.iter().find(|row| row.status == Status::Succeeded).expect("the latest ran");
    assert_eq!(caught_up.scheduled_at, start() + DAY * 5 / 2);
    let missed: u64 = rows.iter().filter_map(|row| row.missed_count).sum();
    assert_eq!(missed, 2, "{rows:?}");
}

#[tokio::test]
async fn trigger_runs_a_job_and_answers_its_end() {
    let job = Job::builder("job").manual().run(|context: JobContext| async move {
        format!("asked for by {}", context.triggered_by().unwrap_or("nobody"))
    });
    let mut scheduler = scheduler(job).await;
    let end = scheduler.trigger(request("job").by("the test")).await.expect("accepted");
    assert_eq!((end.status, end.message.as_deref()), (Status::Succeeded, Some("asked for by the test")));
    let unknown = scheduler.trigger(request("nothing")).await.expect_err("there is no such job");
    assert!(matches!(unknown, TriggerError::UnknownJob(_)));
}

#[tokio::test]
async fn run_due_runs_what_waits_and_lets_no_time_go_by() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let job = Job::builder("job").manual().run(move || {
        counter.fetch_add(1, SeqCst);
        async {}
    });
    let mut scheduler = scheduler(job).await;
    scheduler.handle().trigger(request("job")).await.expect("accepted");
    assert_eq!(runs.load(SeqCst), 0, "nothing runs by itself");
    scheduler.run_due().await;
    assert_eq!((runs.load(SeqCst), scheduler.clock().now()), (1, start()));
}

#[tokio::test]
async fn a_shutdown_lets_time_go_by_until_bodies_are_dropped() {
    let job = Job::builder("job").manual().run(std::future::pending::<()>);
    let mut scheduler = scheduler(job).await;
    scheduler.handle().trigger(request("job")).await.expect("accepted");
    scheduler.pass(Duration::ZERO).await;
    let store = scheduler.store.clone();
    scheduler.shutdown(MINUTE).await;
    let rows = store.latest(&[JobId::parse("job").expect("a valid id")]).await.expect("in memory");
    assert_eq!((rows[0].status, rows[0].reason), (Status::Cancelled, Some(Reason::Shutdown)));
}

#[tokio::test]
async fn mistakes_in_the_parts_come_back() {
    let error = ManualScheduler::start(start(), |it| it.jobs([Job::builder("job").run(|| async {})])).await;
    assert!(error.expect_err("it has no trigger").to_string().contains("has no trigger"));
}

#[tokio::test]
async fn what_a_dropped_scheduler_ran_is_dropped_with_it() {
    let held = Arc::new(());
    let body = Arc::clone(&held);
    let job = Job::builder("job").manual().run(move || {
        let held = Arc::clone(&body);
        async move {
            std::future::pending::<()>().await;
            drop(held);
        }
    });
    let mut scheduler = scheduler(job).await;
    scheduler.handle().trigger(request("job")).await.expect("accepted");
    scheduler.pass(Duration::ZERO).await;
    drop(scheduler);
    assert_eq!(Arc::strong_count(&held), 1);
}
