//! What operators ask for through a handle.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    Backfill, Cancelled, OperatorError, SchedulerHandle, TriggerRequest,
    context::JobContext,
    extract::Attempt,
    job::{CatchUp, Job, JobBuilder, OverlapPolicy},
    occurrence::{OccurrenceKey, Origin},
    outcome::{JobError, JobResult},
    status::{Reason, Status},
    store::{Action, Actor, AuditEntry, AuditQuery, BackfillAnswer, BackfillRefusal},
};
use tokio_util::sync::CancellationToken;

use crate::rig::{MINUTE, Rig, SECOND, ended, endless, id, rows, soon, start, telling, told, words};

fn ayu() -> Actor {
    Actor::new("ayu").because("the outage of tuesday").from("10.0.3.7")
}

fn minutely() -> JobBuilder {
    Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip)
}

fn at(minute: u32) -> DateTime<Utc> {
    start() + MINUTE * minute
}

/// The audit, oldest first.
async fn audit(handle: &SchedulerHandle) -> Vec<AuditEntry> {
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    let mut entries = soon(handle.audit(&query)).await.expect("the memory store answers");
    entries.reverse();
    entries
}

/// R20: what never ran is backfilled.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_outage_missed_is_backfilled_oldest_first() {
    let rig = Rig::new();
    let (job, mut starts) = telling(minutely());
    rig.stop(rig.run([job.clone()]).await).await;
    rig.clock.advance(MINUTE * 5 + SECOND * 30);
    let scheduler = rig.run([job]).await;
    rig.pass(SECOND * 5).await;
    // 00:05 was within its deadline, 00:01 to 00:04 were not.
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(at(5)));
    let range = Backfill::new(id("job"), at(2)..at(6));
    let dry = soon(scheduler.handle().backfill(&range.clone().as_dry_run(), &ayu())).await.expect("it is known");
    assert_eq!(rows(scheduler.handle(), "job").await.len(), 2, "a dry run writes nothing");
    let answers = soon(scheduler.handle().backfill(&range, &ayu())).await.expect("it is known");
    let instants: Vec<_> = answers.iter().map(|answer| answer.scheduled_at).collect();
    assert_eq!(instants, [at(2), at(3), at(4), at(5)], "the range's end is not in it");
    for (dry, done) in dry.iter().zip(&answers).take(3) {
        let (BackfillAnswer::Waits { attempt, .. }, BackfillAnswer::Waits { attempt: same, .. }) =
            (dry.answer, done.answer)
        else {
            panic!("{dry:?} {done:?}")
        };
        assert_eq!(attempt, same);
    }
    let has_run = |answer| matches!(answer, BackfillAnswer::Refused(BackfillRefusal::HasRun { .. }));
    assert!(has_run(answers[3].answer), "{answers:?}");
    rig.pass(SECOND * 20).await;
    for minute in 2..=4 {
        assert_eq!(starts.next().await, OccurrenceKey::scheduled(at(minute)));
    }
    let found = rig.rows(scheduler.handle(), "job", 5).await;
    let backfilled: Vec<_> = found.iter().filter(|row| row.origin == Origin::Backfill).collect();
    assert_eq!(backfilled.len(), 3);
    assert!(backfilled.iter().all(|row| row.status == Status::Succeeded), "{:?}", words(&found));
    assert_eq!(backfilled[0].triggered_by.as_deref(), Some("ayu"));
    rig.stop(scheduler).await;
}

/// R17: who took the key after the run that the new occurrence asked to stop is asked as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfilled_run_makes_way_for_an_occurrence_that_waits_under_cancel_running() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = minutely().overlap(OverlapPolicy::CancelRunning);
    let job = job.run(move |context: JobContext, stop: CancellationToken| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            stop.cancelled().await;
            JobResult::<()>::Err(JobError::new("told to stop"))
        }
    });
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE + SECOND).await;
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(at(1)));
    // It is older than what comes next, so it goes before it.
    let old = Backfill::new(id("job"), start() - MINUTE..start());
    soon(scheduler.handle().backfill(&old, &ayu())).await.expect("it never ran");
    // The holder is told by its next renewal, and who came after it by the look.
    rig.pass(MINUTE + SECOND * 20).await;
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(start() - MINUTE));
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(at(2)));
    let found = rows(scheduler.handle(), "job").await;
    assert_eq!(words(&found), ["cancelled (by_request) #1", "cancelled (by_request) #1", "running #1"]);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_of_more_than_is_done_at_once_is_refused() {
    let rig = Rig::new();
    let scheduler = rig.run([minutely().run(|| async {})]).await;
    let long = Backfill::new(id("job"), start() - TimeDelta::days(2)..start());
    let error = soon(scheduler.handle().backfill(&long, &ayu())).await.expect_err("two days of minutes");
    assert!(matches!(error, OperatorError::TooMany), "{error}");
    let unknown = Backfill::new(id("other"), start()..start());
    let error = soon(scheduler.handle().backfill(&unknown, &ayu())).await.expect_err("no such job");
    assert!(matches!(error, OperatorError::UnknownJob(_)), "{error}");
    let endless = Backfill::new(id("job"), DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC);
    let error = soon(scheduler.handle().backfill(&endless, &ayu())).await.expect_err("all of time");
    assert!(matches!(error, OperatorError::TooMany), "{error}");
    rig.stop(scheduler).await;
}

/// R20: the last attempt is followed by one more.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_tried_once_more_and_no_more() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().retries(0).run(|Attempt(number): Attempt| async move {
        if number < 3 { JobResult::<String>::Err(JobError::new("not yet")) } else { Ok(number.to_string()) }
    });
    let scheduler = rig.run([job]).await;
    let handle = scheduler.handle();
    let first = soon(handle.trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    ended(handle, &first).await;
    let second = soon(handle.retry(first.id, &ayu())).await.expect("it failed");
    assert_eq!((second.attempt, second.max_attempts, second.status), (2, 2, Status::Pending));
    ended(handle, &second).await;
    rig.pass(MINUTE * 2).await;
    assert_eq!(words(&rows(handle, "job").await), ["failed #1", "failed #2"], "nothing follows by itself");
    let third = soon(handle.retry(second.id, &ayu())).await.expect("it failed");
    assert_eq!(ended(handle, &third).await.status, Status::Succeeded);
    let error = soon(handle.retry(third.id, &ayu())).await.expect_err("it succeeded");
    assert!(matches!(error, OperatorError::NotRetryable { status: Status::Succeeded, next: None, .. }), "{error}");
    let error = soon(handle.retry(first.id, &ayu())).await.expect_err("another follows");
    assert_eq!(
        error.to_string(),
        format!("execution `{}` is failed and followed by `{}`: it can't be retried", first.id, second.id)
    );
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_waits_is_cancelled_and_the_schedule_goes_on() {
    let rig = Rig::new();
    let job = minutely().retry_delay(MINUTE * 10).run(|| async { JobResult::<()>::Err(JobError::new("it fails")) });
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE + SECOND * 5).await;
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(words(&found), ["failed #1", "pending #2"]);
    let cancelled = soon(scheduler.handle().cancel(found[1].id, &ayu())).await.expect("it waits");
    let Cancelled::AtOnce(row) = cancelled else { panic!("{cancelled:?}") };
    assert_eq!((row.status, row.reason), (Status::Cancelled, Some(Reason::ByRequest)));
    // Its key is free: a waiting retry counts as running.
    rig.pass(MINUTE).await;
    let found = rig.rows(scheduler.handle(), "job", 3).await;
    assert_eq!(words(&found)[..3], ["failed #1", "cancelled (by_request) #2", "failed #1"]);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_occurrence_is_skipped_ahead_of_its_time() {
    let rig = Rig::new();
    let (job, mut starts) = telling(minutely());
    let scheduler = rig.run([job]).await;
    let handle = scheduler.handle();
    let row = soon(handle.skip(&id("job"), at(2), &ayu())).await.expect("it is to come");
    assert_eq!((row.status, row.message.as_deref()), (Status::Skipped, Some("the outage of tuesday")));
    rig.pass(MINUTE * 3).await;
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(at(1)));
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(at(3)));
    let error = soon(handle.skip(&id("job"), at(2), &ayu())).await.expect_err("it has its row");
    assert!(matches!(error, OperatorError::AlreadyDecided(ref found) if found.id == row.id), "{error}");
    let error = soon(handle.skip(&id("job"), at(9) + SECOND, &ayu())).await.expect_err("it is not due then");
    assert!(matches!(error, OperatorError::NotAnOccurrence { .. }), "{error}");
    let error = soon(handle.skip(&id("job"), start() - TimeDelta::days(1), &ayu())).await.expect_err("it is past");
    assert!(matches!(error, OperatorError::NotToCome(_)), "{error}");
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_occurrences_are_told_in_the_jobs_zone() {
    let rig = Rig::new();
    let job = Job::builder("job").cron("30 0 * * *").tz("Asia/Jakarta").run(|| async {});
    let scheduler = rig.run([job]).await;
    let next = soon(scheduler.handle().next(&id("job"), 2)).await.expect("it is known");
    let shown: Vec<_> = next.iter().map(DateTime::to_rfc3339).collect();
    assert_eq!(shown, ["2026-01-02T00:30:00+07:00", "2026-01-03T00:30:00+07:00"]);
    assert_eq!(soon(scheduler.handle().next(&id("job"), usize::MAX)).await.expect("it is known").len(), 1_000);
    let unknown = soon(scheduler.handle().next(&id("other"), 1)).await.expect_err("no such job");
    assert!(matches!(unknown, OperatorError::UnknownJob(_)), "{unknown}");
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_the_job_asks_by_what_the_store_knows() {
    let rig = Rig::shared();
    let with = rig.run([minutely().run(|| async {})]).await;
    let without = rig.run([Job::builder("another").manual().run(|| async {})]).await;
    let handle = without.handle();
    assert_eq!(soon(handle.next(&id("job"), 1)).await.expect("it is stored")[0], at(1));
    soon(handle.skip(&id("job"), at(30), &ayu())).await.expect("it is stored");
    soon(handle.pause(&id("job"), &ayu(), None)).await.expect("it is stored");
    assert!(soon(with.handle().job(&id("job"))).await.expect("read").expect("it is there").is_paused());
    soon(handle.resume(&id("job"), &ayu())).await.expect("it is paused");
    let yesterday = Backfill::new(id("job"), start() - TimeDelta::days(1)..start() - TimeDelta::minutes(1_438));
    let answers = soon(handle.backfill(&yesterday, &ayu())).await.expect("it is stored");
    assert!(answers.iter().all(|answer| matches!(answer.answer, BackfillAnswer::Waits { .. })), "{answers:?}");
    rig.pass(SECOND * 10).await;
    let found = rig.rows(with.handle(), "job", 3).await;
    let run = found.iter().filter(|row| row.status == Status::Succeeded).count();
    assert_eq!((answers.len(), run), (2, 2), "the one that has it runs them");
    rig.stop(with).await;
    rig.pass(MINUTE).await;
    let orphaned = soon(handle.orphaned()).await.expect("read");
    assert_eq!(orphaned.iter().map(|state| state.job_id.as_str()).collect::<Vec<_>>(), ["job"]);
    rig.stop(without).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_what_was_refused_is_in_the_audit() {
    let rig = Rig::new();
    let (job, mut starts) = endless(Job::builder("job").manual().overlap(OverlapPolicy::Skip));
    let scheduler = rig.run([job]).await;
    let handle = scheduler.handle();
    let request = || TriggerRequest::new(id("job")).by("ayu").with_reason("it was late").from("10.0.3.7");
    let row = soon(handle.trigger(request())).await.expect("accepted").execution;
    starts.next().await;
    soon(handle.trigger(request())).await.expect_err("it runs");
    soon(handle.pause(&id("job"), &ayu(), None)).await.expect("it is paused");
    soon(handle.pause(&id("job"), &Actor::new("budi"), None)).await.expect_err("it is paused");
    soon(handle.cancel(row.id, &ayu())).await.expect("it runs");
    soon(handle.retry(row.id, &ayu())).await.expect_err("it runs");
    let entries = audit(handle).await;
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (&*entry.record.actor.who, entry.record.action, entry.record.refused.as_deref()))
        .collect();
    let not_retryable = format!("execution `{}` is running: it can't be retried", row.id);
    let expected = [
        ("ayu", Action::Trigger, None),
        ("ayu", Action::Trigger, Some("the job is already running")),
        ("ayu", Action::Pause, None),
        ("budi", Action::Pause, Some("job `job` is paused already")),
        ("ayu", Action::Cancel, None),
        ("ayu", Action::Retry, Some(&*not_retryable)),
    ];
    assert_eq!(seen, expected);
    let first = &entries[0].record;
    assert_eq!(
        (first.actor.reason.as_deref(), first.actor.address.as_deref()),
        (Some("it was late"), Some("10.0.3.7"))
    );
    assert_eq!((first.job_id.as_ref(), first.execution_id), (Some(&id("job")), Some(row.id)));
    assert_eq!(entries[5].record.execution_id, Some(row.id));
    rig.stop(scheduler).await;
}

/// R21: only rows that decide nothing any more go.
#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_pruned_but_for_those_that_may_still_decide() {
    let rig = Rig::new();
    let (job, mut starts) = telling(minutely());
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE * 3 + SECOND * 5).await;
    for _ in 0..3 {
        starts.next().await;
    }
    rig.rows(scheduler.handle(), "job", 3).await;
    rig.stop(scheduler).await;
    // A day, the catch-up window of a minute, the deadline of another, and two minutes.
    rig.clock.advance(MINUTE * (24 * 60 + 4));
    let (job, _starts) = telling(minutely().enabled(false));
    let scheduler = rig.run([job]).await;
    let now = scheduler.handle().now();
    assert_eq!(soon(scheduler.handle().prune(start())).await.expect("read"), 0, "nothing is older than that");
    let deleted = soon(scheduler.handle().prune(now)).await.expect("deleted");
    let left = rows(scheduler.handle(), "job").await;
    let needed = now - TimeDelta::days(1) - TimeDelta::minutes(2);
    assert!(deleted >= 3 && left.iter().all(|row| row.created_at >= needed), "{deleted} {left:#?}");
    let horizon = soon(scheduler.handle().job(&id("job"))).await.expect("read").and_then(|job| job.state);
    assert_eq!(horizon.and_then(|state| state.prune_horizon), Some(needed));
    rig.stop(scheduler).await;
}
