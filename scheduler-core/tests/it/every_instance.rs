//! Jobs that each instance runs for itself (R26).

use std::sync::Arc;

use scheduler_core::{
    Backfill, OperatorError, Scheduler, TriggerRequest,
    job::{Job, OnCrash},
    lock::memory::MemoryLocks,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::Actor,
};

use crate::rig::{MINUTE, Rig, SECOND, endless, id, rows, soon, start, telling, words};

/// R26.
#[tokio::test(flavor = "multi_thread")]
async fn each_occurrence_runs_on_each_instance_past_the_filter() {
    let rig = Rig::shared();
    let locks = MemoryLocks::new().with_clock(Arc::new(rig.clock.clone()));
    let (job, mut starts) = telling(Job::builder("job").every(MINUTE).every_instance(true));
    let mut schedulers = Vec::new();
    for _ in 0..2 {
        let scheduler = Scheduler::builder(rig.store.clone()).lock_backend(locks.clone()).jobs([job.clone()]);
        let scheduler = scheduler.clock(rig.clock.clone()).build().expect("a valid job");
        schedulers.push(soon(scheduler.start()).await.expect("both answer"));
    }
    rig.pass(MINUTE).await;
    let mut keys = vec![starts.next().await, starts.next().await];
    let mut expected: Vec<_> = schedulers
        .iter()
        .map(|scheduler| OccurrenceKey::on_instance(start() + MINUTE, scheduler.handle().instance()))
        .collect();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
    rig.rows(schedulers[0].handle(), "job", 2).await;
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}

/// R26.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_by_unseen_is_neither_caught_up_nor_missed() {
    let rig = Rig::shared();
    let (job, mut starts) = telling(Job::builder("job").every(MINUTE).start_deadline(SECOND).every_instance(true));
    let scheduler = rig.run([job]).await;
    // At once, as on a machine that slept.
    rig.clock.advance(5 * MINUTE + 30 * SECOND);
    rig.clock.settle().await;
    rig.pass(10 * SECOND).await;
    assert_eq!(rows(scheduler.handle(), "job").await, [], "what was late is nobody's");
    rig.pass(20 * SECOND).await;
    starts.next().await;
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_on_a_lost_instance_is_abandoned_and_not_repeated() {
    let rig = Rig::shared();
    let (job, mut starts) = endless(Job::builder("job").every(60 * MINUTE).every_instance(true));
    let lost = rig.run([job.clone()]).await;
    rig.pass(60 * MINUTE).await;
    starts.next().await;
    rig.pass(SECOND).await;
    let other = rig.run([job]).await;
    drop(lost);
    rig.clock.settle().await;
    let found = rig.rows(other.handle(), "job", 1).await;
    assert_eq!(words(&found), ["abandoned #1"]);
    rig.pass(10 * SECOND).await;
    assert_eq!(rows(other.handle(), "job").await.len(), 1);
    rig.stop(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_leaves_no_range_of_what_each_would_have_run() {
    let rig = Rig::shared();
    let (job, mut starts) = telling(Job::builder("job").every(MINUTE).every_instance(true));
    let scheduler = rig.run([job]).await;
    let by = Actor::new("ayu");
    let handle = scheduler.handle();
    soon(handle.pause(&id("job"), &by, None)).await.expect("paused");
    rig.pass(3 * MINUTE + 30 * SECOND).await;
    soon(handle.resume(&id("job"), &by)).await.expect("resumed");
    rig.pass(30 * SECOND).await;
    assert_eq!(starts.next().await, OccurrenceKey::on_instance(start() + 4 * MINUTE, handle.instance()));
    assert!(rows(handle, "job").await.iter().all(|row| row.missed_from.is_none()));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_runs_once_and_the_schedule_s_occurrences_are_not_an_operator_s_to_give() {
    let rig = Rig::shared();
    let (job, mut starts) = telling(Job::builder("job").every(MINUTE).every_instance(true));
    let schedulers = [rig.run([job.clone()]).await, rig.run([job]).await];
    let handle = schedulers[0].handle();
    let row = soon(handle.trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    assert_eq!(starts.next().await, row.occurrence);
    let found = rig.rows(handle, "job", 1).await;
    assert_eq!((found.len(), found[0].status), (1, Status::Succeeded));
    let by = Actor::new("ayu");
    let skipped = soon(handle.skip(&id("job"), start() + MINUTE, &by)).await;
    assert!(matches!(skipped, Err(OperatorError::RunsEverywhere(_))), "{skipped:?}");
    let backfill = Backfill::new(id("job"), start()..start() + MINUTE);
    let backfilled = soon(handle.backfill(&backfill, &by)).await;
    assert!(matches!(backfilled, Err(OperatorError::RunsEverywhere(_))), "{backfilled:?}");
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_instance_ends_with_it() {
    let rig = Rig::shared();
    let job = Job::builder("job").every(60 * MINUTE).retries(1).retry_delay(10 * MINUTE).every_instance(true);
    let job = job.run(|| async { Err::<(), _>("it fails") });
    let scheduler = rig.run([job]).await;
    rig.pass(60 * MINUTE).await;
    rig.rows(scheduler.handle(), "job", 1).await;
    let handle = scheduler.handle().clone();
    rig.stop(scheduler).await;
    let found = rows(&handle, "job").await;
    assert_eq!(words(&found), ["failed #1", "cancelled (shutdown) #2"]);
    assert_eq!(found[1].reason, Some(Reason::Shutdown));
}

#[test]
fn what_happens_later_or_elsewhere_does_not_go_with_every_instance() {
    let job = Job::builder("job").every(MINUTE).every_instance(true).on_crash(OnCrash::Rerun).catch_up_window(MINUTE);
    let scheduler = Scheduler::builder(Rig::new().store).jobs([job.run(|| async {})]);
    let error = scheduler.build().expect_err("it can't be").to_string();
    assert!(error.contains("`on_crash = rerun` does not go with `every_instance`"), "{error}");
    assert!(error.contains("`catch_up_window` does not go with `every_instance`"), "{error}");
}
