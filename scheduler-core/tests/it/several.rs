//! Several schedulers on one store.

use std::collections::BTreeMap;

use scheduler_core::{
    RunningScheduler, Scheduler, TriggerRequest,
    job::{Job, OnCrash},
    lock::memory::MemoryLocks,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::memory::MemoryStore,
};

use crate::rig::{Rig, SECOND, Starts, endless, id, rows, soon, telling, words};

#[tokio::test(flavor = "multi_thread")]
async fn each_occurrence_runs_once_on_one_of_them() {
    let rig = Rig::shared();
    let (job, mut starts) = telling(Job::builder("job").every(SECOND));
    let mut schedulers = Vec::new();
    for _ in 0..3 {
        schedulers.push(rig.run([job.clone()]).await);
    }
    rig.pass(20 * SECOND).await;
    let found = rig.rows(schedulers[0].handle(), "job", 20).await;
    let mut by_occurrence = BTreeMap::new();
    for occurrence in starts.so_far() {
        *by_occurrence.entry(occurrence).or_insert(0) += 1;
    }
    assert!(by_occurrence.values().all(|starts| *starts == 1), "{by_occurrence:?}");
    assert!(by_occurrence.len() >= 20 && found.len() >= 20);
    assert!(found.iter().all(|row| row.attempt == 1));
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}

/// A scheduler with a lock backend, by the rig's clock.
async fn with_locks(rig: &Rig, store: MemoryStore, locks: &MemoryLocks, job: &Job) -> RunningScheduler {
    let scheduler = Scheduler::builder(store).lock_backend(locks.clone()).jobs([job.clone()]);
    let scheduler = scheduler.clock(rig.clock.clone()).build().expect("a valid job");
    soon(scheduler.start()).await.expect("both answer")
}

/// How many occurrences ran, none of them twice.
fn each_once(mut seen: Vec<OccurrenceKey>) -> usize {
    let before = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), before, "one ran twice");
    before
}

/// R15: the filter stands before the claim only.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_in_front_of_the_store_changes_nothing_of_that() {
    let rig = Rig::shared();
    let locks = MemoryLocks::new().with_clock(std::sync::Arc::new(rig.clock.clone()));
    let (job, mut starts) = telling(Job::builder("job").every(SECOND));
    let mut schedulers = Vec::new();
    for _ in 0..3 {
        schedulers.push(with_locks(&rig, rig.store.clone(), &locks, &job).await);
    }
    rig.pass(20 * SECOND).await;
    rig.rows(schedulers[0].handle(), "job", 20).await;
    let before = each_once(starts.so_far());
    assert!(before >= 20);
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}

/// R15: where the store is not shared it is the claim.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_shared_store_the_lock_backend_alone_keeps_them_apart() {
    let rig = Rig::new();
    let locks = MemoryLocks::new().with_clock(std::sync::Arc::new(rig.clock.clone()));
    let (job, mut starts) = telling(Job::builder("job").every(SECOND));
    let mut schedulers = Vec::new();
    for _ in 0..3 {
        // A store each, as a process each would have.
        let store =
            Rig { clock: rig.clock.clone(), ..Rig::new() }.store.with_clock(std::sync::Arc::new(rig.clock.clone()));
        schedulers.push(with_locks(&rig, store, &locks, &job).await);
    }
    rig.pass(20 * SECOND).await;
    for _ in 0..50 {
        rig.clock.settle().await;
    }
    let before = each_once(starts.so_far());
    assert!(before >= 18, "only {before} ran");
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}

/// A job on request that runs until it is told to stop.
fn endless_with(on_crash: OnCrash) -> (Job, Starts) {
    endless(Job::builder("job").manual().on_crash(on_crash))
}

/// R6: a lost instance's run is found.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_instance_s_run_is_abandoned_by_a_healthy_one() {
    let rig = Rig::shared();
    let (job, mut starts) = endless_with(OnCrash::Abandon);
    let lost = rig.run([job.clone()]).await;
    soon(lost.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    let other = rig.run([job]).await;
    // Without a word, as a killed process.
    drop(lost);
    rig.clock.settle().await;
    let found = rig.rows(other.handle(), "job", 1).await;
    assert_eq!(words(&found), ["abandoned #1"]);
    rig.pass(10 * SECOND).await;
    assert_eq!(rows(other.handle(), "job").await.len(), 1, "it is not run again unless the job says so");
    rig.stop(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_instance_s_run_is_repeated_where_the_job_says_so() {
    let rig = Rig::shared();
    let (job, mut starts) = endless_with(OnCrash::Rerun);
    let lost = rig.run([job.clone()]).await;
    soon(lost.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    let first = starts.next().await;
    let other = rig.run([job]).await;
    drop(lost);
    rig.clock.settle().await;
    rig.rows(other.handle(), "job", 1).await;
    rig.pass(5 * SECOND).await;
    assert_eq!(starts.next().await, first, "another attempt at the same occurrence");
    assert_eq!(words(&rows(other.handle(), "job").await), ["abandoned #1", "running #2"]);
    rig.stop(other).await;
}

/// R4: the token of what lost its lease is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_lease_is_lost_is_told_and_its_late_outcome_is_kept() {
    let rig = Rig::shared();
    let (job, mut starts) = endless_with(OnCrash::Abandon);
    let first = rig.run([job.clone()]).await;
    let row = soon(first.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    starts.next().await;
    // A machine that slept for longer than a lease: the store forgets the lease, the body is not polled again.
    rig.clock.advance(40 * SECOND);
    rig.clock.settle().await;
    rig.pass(5 * SECOND).await;
    let found = rig.rows(first.handle(), "job", 1).await;
    assert_eq!(found[0].id, row.id);
    assert_eq!((found[0].status, found[0].reason), (Status::Failed, Some(Reason::LeaseLost)));
    rig.stop(first).await;
}
