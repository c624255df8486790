//! Backends that do not answer (R8, R9, R10).

use std::sync::Arc;

use crate::{
    away::{Switch, SwitchedLocks, SwitchedStore},
    rig::{MINUTE, Rig, SECOND, Starts, gated, id, rows, soon, telling, words},
};
use scheduler_core::{
    RunningScheduler, Scheduler, StartError, TriggerRequest,
    job::{CatchUp, Job},
    lock::memory::MemoryLocks,
    status::{Reason, Status},
};

fn each_minute() -> (Job, Starts) {
    telling(Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip))
}

fn switched(rig: &Rig) -> (SwitchedStore, Switch) {
    let switch = Switch::default();
    (SwitchedStore { inner: rig.store.clone(), switch: switch.clone() }, switch)
}

async fn with_locks(rig: &Rig, job: Job) -> (RunningScheduler, Switch) {
    let switch = Switch::default();
    let locks = MemoryLocks::new().with_clock(Arc::new(rig.clock.clone()));
    let locks = SwitchedLocks { inner: locks, switch: switch.clone() };
    let scheduler = Scheduler::builder(rig.store.clone()).lock_backend(locks).jobs([job]).clock(rig.clock.clone());
    (soon(scheduler.build().expect("a valid job").start()).await.expect("both answer"), switch)
}

/// R10: a store that is away is tried until the start deadline.
#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_waits_for_its_store_until_its_deadline() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    rig.pass(MINUTE - SECOND).await;
    switch.set_away(true);
    rig.pass(30 * SECOND).await;
    assert_eq!(starts.so_far(), [], "what can't be written is not run");
    assert!(!scheduler.handle().health().ready);
    switch.set_away(false);
    rig.pass(5 * SECOND).await;
    starts.next().await;
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(words(&found), ["succeeded #1"]);
    assert!(scheduler.handle().health().ready);
    rig.stop(scheduler).await;
}

/// R12: many jobs are decided in one transaction, and one of them may be what the store can't write.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_can_not_be_decided_holds_up_no_other() {
    let rig = Rig::shared();
    let names = ["first", "poison", "last"];
    let job = |name: &str| telling(Job::builder(name).cron("* * * * *").catch_up(CatchUp::Skip)).0;
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, names.map(job)).await;
    switch.set_refusing("poison");
    // The machine sleeps over three occurrences: all but the last are too late.
    rig.clock.step(chrono::TimeDelta::seconds(185));
    for name in ["first", "last"] {
        let found = rig.rows(scheduler.handle(), name, 2).await;
        assert!(words(&found).contains(&"missed (deadline) #1".to_owned()), "{name}: {:?}", words(&found));
    }
    let missed = |row: &scheduler_core::execution::Execution| row.status == Status::Missed;
    assert!(!rows(scheduler.handle(), "poison").await.iter().any(missed));
    switch.set_refusing("none");
    rig.pass(3 * SECOND).await;
    assert!(rows(scheduler.handle(), "poison").await.iter().any(missed), "it is decided once it can be");
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passed_its_deadline_while_the_store_was_away_is_recorded_as_missed() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    rig.pass(MINUTE - SECOND).await;
    switch.set_away(true);
    rig.pass(3 * MINUTE + 10 * SECOND).await;
    switch.set_away(false);
    let found = rig.rows(scheduler.handle(), "job", 2).await;
    let missed: Vec<_> = found.iter().filter(|row| row.status == Status::Missed).collect();
    assert_eq!(missed.iter().filter_map(|row| row.missed_count).sum::<u64>(), 3, "{:?}", words(&found));
    assert!(missed.iter().all(|row| row.reason == Some(Reason::Deadline)));
    starts.next().await;
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_answer_is_lost_is_repeated_and_runs_once() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    rig.pass(MINUTE - SECOND).await;
    switch.set_losing_answers(true);
    rig.pass(3 * SECOND).await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["running #1"], "written, and nobody knows");
    assert_eq!(starts.so_far(), []);
    switch.set_losing_answers(false);
    rig.pass(3 * SECOND).await;
    starts.next().await;
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(words(&found), ["succeeded #1"]);
    assert_eq!(starts.so_far(), []);
    rig.stop(scheduler).await;
}

/// R8: a claim whose reply was lost for good is abandoned, and followed.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_given_up_without_an_answer_earns_its_next_attempt() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    rig.pass(MINUTE - SECOND).await;
    switch.set_losing_answers(true);
    rig.pass(MINUTE + 10 * SECOND).await;
    switch.set_losing_answers(false);
    let first = starts.next();
    tokio::pin!(first);
    let occurrence = loop {
        tokio::select! {
            occurrence = &mut first => break occurrence,
            () = rig.pass(SECOND) => {}
        }
    };
    let found = rig.rows(scheduler.handle(), "job", 3).await;
    let of_it: Vec<_> = found.iter().filter(|row| row.occurrence == occurrence).collect();
    assert!(of_it.iter().any(|row| row.status == Status::Succeeded), "{:?}", words(&found));
    let abandoned = found.iter().find(|row| row.status == Status::Abandoned).expect("the first claim");
    assert_eq!(abandoned.reason, Some(Reason::UnknownCommit));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_kept_until_the_store_takes_it() {
    let rig = Rig::new();
    let (job, mut starts, go_on) = gated(Job::builder("job").manual());
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    switch.set_away(true);
    go_on.notify_one();
    rig.pass(10 * SECOND).await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["running #1"]);
    switch.set_away(false);
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(found[0].message.as_deref(), Some("undisturbed"));
    rig.stop(scheduler).await;
}

/// R5: an outage shorter than the lease less its margin disturbs no run.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_shorter_than_the_lease_disturbs_no_run() {
    let rig = Rig::new();
    let (job, mut starts, go_on) = gated(Job::builder("job").manual());
    let (store, switch) = switched(&rig);
    let scheduler = rig.run_on(store, [job]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    rig.pass(6 * SECOND).await;
    switch.set_away(true);
    rig.pass(20 * SECOND).await;
    switch.set_away(false);
    rig.pass(6 * SECOND).await;
    go_on.notify_one();
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(found[0].message.as_deref(), Some("undisturbed"));
    rig.stop(scheduler).await;
}

/// R10: with a shared store the store decides alone.
#[tokio::test(flavor = "multi_thread")]
async fn in_front_of_a_shared_store_a_lock_backend_is_not_needed() {
    let rig = Rig::shared();
    let (job, mut starts) = each_minute();
    let (scheduler, switch) = with_locks(&rig, job).await;
    switch.set_away(true);
    rig.pass(MINUTE).await;
    starts.next().await;
    let health = scheduler.handle().health();
    assert!(health.ready, "the store decides alone");
    assert_eq!(health.degraded, ["the lock backend does not answer"]);
    switch.set_away(false);
    rig.pass(MINUTE).await;
    starts.next().await;
    assert_eq!(scheduler.handle().health().degraded, [""; 0]);
    rig.stop(scheduler).await;
}

/// R10: with a store that is not shared nothing starts.
#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_the_claim_a_lock_backend_that_is_away_starts_nothing() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let (scheduler, switch) = with_locks(&rig, job).await;
    switch.set_away(true);
    rig.pass(MINUTE + 10 * SECOND).await;
    assert_eq!(starts.so_far(), []);
    assert!(!scheduler.handle().health().ready);
    switch.set_away(false);
    rig.pass(5 * SECOND).await;
    starts.next().await;
    rig.clock.settle().await;
    assert!(scheduler.handle().health().ready);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_away_at_start_is_told() {
    let rig = Rig::new();
    let (job, _starts) = each_minute();
    let (store, switch) = switched(&rig);
    switch.set_away(true);
    let scheduler = Scheduler::builder(store).jobs([job.clone()]).build().expect("a valid job");
    let error = soon(scheduler.start()).await.expect_err("the store is away");
    assert!(matches!(error, StartError::Store(_)), "{error}");
    let locks = SwitchedLocks { inner: MemoryLocks::new(), switch };
    let scheduler = Scheduler::builder(rig.store).lock_backend(locks).jobs([job]).build().expect("a valid job");
    let error = soon(scheduler.start()).await.expect_err("the lock backend is away");
    assert!(matches!(error, StartError::Locks(_)), "{error}");
}
