//! Pauses, on request (R23).

use scheduler_core::{
    OperatorError, TriggerRequest,
    job::{CatchUp, Job},
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::Actor,
};

use crate::rig::{MINUTE, Rig, SECOND, Starts, ended, id, rows, soon, start, telling};

fn each_minute() -> (Job, Starts) {
    telling(Job::builder("job").cron("* * * * *").catch_up(CatchUp::Skip))
}

fn ayu() -> Actor {
    Actor::new("ayu").because("maintenance")
}

/// R23: paused time is never owed.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_starts_nothing_and_what_fell_in_its_pause_is_skipped() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let scheduler = rig.run([job]).await;
    let handle = scheduler.handle();
    rig.pass(MINUTE + SECOND).await;
    starts.next().await;
    let state = soon(handle.pause(&id("job"), &ayu(), None)).await.expect("it is paused");
    assert_eq!(state.pause.and_then(|pause| pause.by).as_deref(), Some("ayu"));
    rig.pass(MINUTE * 3).await;
    assert_eq!(starts.so_far(), []);
    let status = soon(handle.job(&id("job"))).await.expect("read").expect("the job is there");
    assert!(status.is_paused() && status.next_run.is_none());
    soon(handle.resume(&id("job"), &ayu())).await.expect("it was paused");
    rig.pass(MINUTE).await;
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(start() + MINUTE * 5));
    let found = rig.rows(handle, "job", 3).await;
    let skipped: Vec<_> = found.iter().filter(|row| row.status == Status::Skipped).collect();
    assert_eq!(skipped.len(), 1, "{found:#?}");
    assert_eq!((skipped[0].reason, skipped[0].missed_count), (Some(Reason::Paused), Some(3)));
    assert_eq!((skipped[0].missed_from, skipped[0].scheduled_at), (Some(start() + MINUTE * 2), start() + MINUTE * 4));
    rig.stop(scheduler).await;
}

/// R23: a pause whose time is over is ended by a pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_by_itself_and_what_is_due_then_runs() {
    let rig = Rig::new();
    let (job, mut starts) = each_minute();
    let scheduler = rig.run([job]).await;
    let until = start() + MINUTE * 3;
    soon(scheduler.handle().pause(&id("job"), &ayu(), Some(until))).await.expect("it is paused");
    rig.pass(MINUTE * 3 + SECOND * 10).await;
    assert_eq!(starts.next().await, OccurrenceKey::scheduled(until));
    let found = rows(scheduler.handle(), "job").await;
    assert_eq!((found[0].reason, found[0].missed_count), (Some(Reason::Paused), Some(2)));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pauses_end_is_seen_though_no_occurrence_went_by() {
    let rig = Rig::new();
    let (job, _starts) = telling(Job::builder("job").cron("0 0 * * *"));
    let scheduler = rig.run([job]).await;
    soon(scheduler.handle().pause(&id("job"), &ayu(), Some(start() + MINUTE))).await.expect("it is paused");
    rig.pass(MINUTE + SECOND * 10).await;
    let ended = async {
        while soon(scheduler.handle().job(&id("job"))).await.expect("read").expect("there").is_paused() {
            rig.pass(SECOND).await;
        }
    };
    soon(ended).await;
    assert_eq!(rows(scheduler.handle(), "job").await, []);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_runs_while_the_job_is_paused() {
    let rig = Rig::new();
    let (job, _starts) = each_minute();
    let scheduler = rig.run([job]).await;
    soon(scheduler.handle().pause(&id("job"), &ayu(), None)).await.expect("it is paused");
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    assert_eq!(ended(scheduler.handle(), &row).await.status, Status::Succeeded);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_paused_or_resumed_says_why() {
    let rig = Rig::new();
    let (job, _starts) = each_minute();
    let scheduler = rig.run([job]).await;
    let handle = scheduler.handle();
    let unknown = soon(handle.pause(&id("other"), &ayu(), None)).await.expect_err("no such job");
    assert!(matches!(unknown, OperatorError::UnknownJob(_)), "{unknown}");
    let running = soon(handle.resume(&id("job"), &ayu())).await.expect_err("it is not paused");
    assert!(matches!(running, OperatorError::NotPaused(_)), "{running}");
    let over = soon(handle.pause(&id("job"), &ayu(), Some(start()))).await.expect_err("it would be over");
    assert!(matches!(over, OperatorError::UntilPassed(until) if until == start()), "{over}");
    soon(handle.pause(&id("job"), &ayu(), None)).await.expect("it is paused");
    let twice = soon(handle.pause(&id("job"), &Actor::new("budi"), None)).await.expect_err("it is paused");
    let OperatorError::AlreadyPaused(state) = twice else { panic!("{twice}") };
    assert_eq!(state.pause.and_then(|pause| pause.by).as_deref(), Some("ayu"));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_decides_only_what_no_other_instance_has_where_the_store_is_not_shared() {
    let rig = Rig::new();
    let locks = scheduler_core::lock::memory::MemoryLocks::new().with_clock(std::sync::Arc::new(rig.clock.clone()));
    let mut schedulers = Vec::new();
    let mut starts = Vec::new();
    for _ in 0..2 {
        // A store each, as a process each would have.
        let store = Rig::new().store.with_clock(std::sync::Arc::new(rig.clock.clone()));
        let (job, told) = telling(Job::builder("job").cron("* * * * *").start_deadline(MINUTE * 10));
        let scheduler = scheduler_core::Scheduler::builder(store).lock_backend(locks.clone()).jobs([job]);
        let scheduler = scheduler.clock(rig.clock.clone()).build().expect("a valid job");
        schedulers.push(soon(scheduler.start()).await.expect("both answer"));
        starts.push(told);
    }
    rig.pass(MINUTE).await;
    // Whoever ran 00:01, the other one's store has no row of it.
    for scheduler in &schedulers {
        soon(scheduler.handle().pause(&id("job"), &ayu(), None)).await.expect("it is paused");
        soon(scheduler.handle().resume(&id("job"), &ayu())).await.expect("it was paused");
    }
    rig.pass(SECOND * 10).await;
    let seen: Vec<_> = starts.iter_mut().flat_map(Starts::so_far).collect();
    assert_eq!(seen, [OccurrenceKey::scheduled(start() + MINUTE)]);
    for scheduler in schedulers {
        rig.stop(scheduler).await;
    }
}
