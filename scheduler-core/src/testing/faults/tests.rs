use super::*;
use crate::{
    clock::ManualClock,
    execution::Execution,
    job::Job,
    lock::{LockError, memory::MemoryLocks},
    status::Status,
    testing::ManualScheduler,
};

const SECOND: Duration = Duration::from_secs(1);

/// A scheduler of a job that is due each minute.
async fn scheduler() -> ManualScheduler {
    let job = Job::builder("job").cron("* * * * *").run(|| async {});
    let start = "2026-01-01T00:00:00Z".parse().expect("an instant");
    ManualScheduler::start(start, |it| it.jobs([job])).await.expect("a valid job")
}

fn statuses(rows: &[Execution]) -> Vec<Status> {
    rows.iter().map(|row| row.status).collect()
}

#[tokio::test]
async fn a_call_that_fails_does_nothing_and_the_next_one_succeeds() {
    let mut scheduler = scheduler().await;
    scheduler.faults().fail_next(Operation::Claim, 1);
    scheduler.advance(60 * SECOND).await;
    assert_eq!(scheduler.executions("job").await, []);
    scheduler.advance(SECOND).await;
    let rows = scheduler.executions("job").await;
    assert_eq!(statuses(&rows), [Status::Succeeded]);
    assert!(rows[0].started_at > Some(rows[0].scheduled_at));
}

#[tokio::test]
async fn a_lost_reply_is_of_a_write_that_happened() {
    let mut scheduler = scheduler().await;
    scheduler.faults().lose_replies(Operation::Claim, 1);
    scheduler.advance(60 * SECOND).await;
    assert_eq!(statuses(&scheduler.executions("job").await), [Status::Running]);
    scheduler.advance(SECOND).await;
    assert_eq!(statuses(&scheduler.executions("job").await), [Status::Succeeded]);
}

#[tokio::test]
async fn a_store_that_is_away_answers_errors_until_it_is_back() {
    let mut scheduler = scheduler().await;
    scheduler.faults().set_away(true);
    scheduler.advance(70 * SECOND).await;
    assert!(!scheduler.handle().health().ready);
    scheduler.faults().set_away(false);
    scheduler.advance(5 * SECOND).await;
    assert!(scheduler.handle().health().ready);
    assert_eq!(statuses(&scheduler.executions("job").await), [Status::Succeeded]);
}

#[tokio::test]
async fn a_partition_answers_nothing_and_callers_give_up() {
    let mut scheduler = scheduler().await;
    scheduler.faults().set_partitioned(true);
    scheduler.advance(62 * SECOND).await;
    assert!(scheduler.handle().health().ready, "nothing is known of it yet");
    scheduler.advance(10 * SECOND).await;
    assert!(!scheduler.handle().health().ready);
    scheduler.faults().set_partitioned(false);
    scheduler.advance(10 * SECOND).await;
    assert_eq!(statuses(&scheduler.executions("job").await), [Status::Succeeded]);
}

#[tokio::test]
async fn a_delay_passes_before_a_call_arrives() {
    let mut scheduler = scheduler().await;
    scheduler.faults().set_delay(2 * SECOND);
    scheduler.pass(70 * SECOND).await;
    let rows = scheduler.executions("job").await;
    assert_eq!(rows[0].started_at, Some(rows[0].scheduled_at + 2 * SECOND));
}

#[tokio::test]
async fn every_reply_is_lost_while_told_so() {
    let mut scheduler = scheduler().await;
    scheduler.faults().set_losing_replies(true);
    scheduler.advance(65 * SECOND).await;
    scheduler.faults().set_losing_replies(false);
    assert_eq!(statuses(&scheduler.executions("job").await), [Status::Running]);
    scheduler.advance(5 * SECOND).await;
    assert_eq!(statuses(&scheduler.executions("job").await), [Status::Succeeded]);
}

#[tokio::test]
async fn a_lock_backend_breaks_the_same_way() {
    let faults = Faults::new(ManualClock::new(chrono::DateTime::UNIX_EPOCH));
    let locks = faults.locks(MemoryLocks::new());
    faults.fail_next(Operation::Acquire, 1);
    assert!(matches!(locks.acquire(&[]).await, Err(LockError::Unavailable { operation: "acquire", .. })));
    assert_eq!(locks.acquire(&[]).await.expect("one was to fail"), []);
}
