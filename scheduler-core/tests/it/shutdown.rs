//! A calm stop (R11).

use std::sync::Arc;

use futures_util::FutureExt as _;
use scheduler_core::{
    SchedulerHandle, TriggerError, TriggerRequest,
    clock::{Clock as _, ManualClock},
    context::JobContext,
    job::{Job, OnCrash},
    status::{Reason, Status},
    testing::Faults,
};
use tokio::{sync::Notify, task::JoinHandle};

use crate::rig::{MINUTE, Rig, SECOND, gated, id, rows, soon, start, told, words};

/// A scheduler that drains while a body runs: its handle, its stop, and what lets the body go on.
async fn draining(rig: &Rig) -> (SchedulerHandle, JoinHandle<()>, Arc<Notify>) {
    let (job, mut starts, go_on) = gated(Job::builder("job").cron("* * * * *"));
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE).await;
    starts.next().await;
    let handle = scheduler.handle().clone();
    let stopping = tokio::spawn(scheduler.shutdown(MINUTE));
    rig.clock.settle().await;
    (handle, stopping, go_on)
}

/// R11: running jobs have the drain time.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_within_the_drain_time_has_its_own_outcome() {
    let rig = Rig::new();
    let (handle, stopping, go_on) = draining(&rig).await;
    assert!(!handle.health().ready, "it takes nothing more");
    go_on.notify_one();
    soon(stopping).await.expect("it stops");
    let found = rows(&handle, "job").await;
    assert_eq!(words(&found), ["succeeded #1"]);
    assert_eq!(found[0].message.as_deref(), Some("undisturbed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_is_told_once_the_scheduler_has_stopped_and_not_while_it_drains() {
    let rig = Rig::new();
    let (handle, stopping, go_on) = draining(&rig).await;
    assert_eq!(handle.stopped().now_or_never(), None, "a body runs");
    go_on.notify_one();
    soon(handle.stopped()).await;
    soon(stopping).await.expect("it stops");
    let dropped = rig.run([]).await;
    let handle = dropped.handle().clone();
    drop(dropped);
    soon(handle.stopped()).await;
}

/// R11: then their tokens fire.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_outlives_the_drain_time_is_told_and_its_row_says_shutdown() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = Job::builder("job").manual().on_crash(OnCrash::Rerun).run(move |context: JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            context.cancellation_token().cancelled().await;
        }
    });
    let scheduler = rig.run([job]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    let handle = scheduler.handle().clone();
    let stopping = tokio::spawn(scheduler.shutdown(10 * SECOND));
    rig.clock.settle().await;
    rig.pass(11 * SECOND).await;
    soon(stopping).await.expect("it stops");
    let found = rows(&handle, "job").await;
    // What the job asked to be run again waits for another instance.
    assert_eq!(words(&found), ["cancelled (shutdown) #1", "pending #2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_will_not_stop_is_dropped_and_the_stop_still_ends() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = Job::builder("job").manual().run(move |context: JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            std::future::pending::<()>().await;
        }
    });
    let scheduler = rig.run([job]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    let handle = scheduler.handle().clone();
    let stopping = tokio::spawn(scheduler.shutdown(SECOND));
    rig.clock.settle().await;
    rig.pass(10 * SECOND).await;
    soon(stopping).await.expect("it stops");
    let found = rows(&handle, "job").await;
    assert_eq!((found[0].status, found[0].reason), (Status::Cancelled, Some(Reason::Shutdown)));
}

/// R11: one limit for all that is given back at the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_holds_a_stop_up_once_and_not_for_each_claim() {
    let rig = Rig::shared();
    let faults = Faults::new(rig.clock.clone());
    let jobs = (0..10).map(|nth| Job::builder(format!("job-{nth}")).cron("* * * * *").run(|| async {}));
    let scheduler = rig.run_on(faults.store(rig.store.clone()), jobs).await;
    faults.set_losing_replies(true);
    rig.pass(MINUTE).await;
    // Ten claims that are written, for all that is known, and a store that says nothing any more.
    faults.set_partitioned(true);
    let begun = rig.clock.uptime();
    rig.stop(scheduler).await;
    let lasted = rig.clock.uptime() - begun;
    // The drain of a second, ten more, and the step by which the test lets time go by.
    assert!(lasted <= 12 * SECOND, "{lasted:?}");
}

/// R11: a claim that waits as the store's clock does not call it due yet asks no more once the scheduler stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_the_store_s_clock_holds_up_no_stop() {
    let rig = Rig::shared();
    let behind = ManualClock::new(start());
    let store = rig.store.clone().with_clock(Arc::new(behind.clone()));
    let (job, _starts) = told_at_once();
    let scheduler = rig.run_on(store, [job]).await;
    // The store's clock stands still, as far as the scheduler knows since its last heartbeat alone.
    rig.pass(MINUTE + SECOND).await;
    let begun = rig.clock.uptime();
    rig.stop(scheduler).await;
    let lasted = rig.clock.uptime() - begun;
    assert!(lasted <= 2 * SECOND, "{lasted:?}");
}

/// R11: all of a stop ends within the drain time and ten seconds, though a body does not stop and the store hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_within_the_drain_and_ten_seconds_whatever_hangs() {
    let rig = Rig::shared();
    let faults = Faults::new(rig.clock.clone());
    let (job, mut starts) = told_at_once();
    let scheduler = rig.run_on(faults.store(rig.store.clone()), [job]).await;
    rig.pass(MINUTE).await;
    starts.next().await;
    faults.set_partitioned(true);
    let begun = rig.clock.uptime();
    rig.stop(scheduler).await;
    let lasted = rig.clock.uptime() - begun;
    assert!(lasted <= 12 * SECOND, "{lasted:?}");
}

/// A job of each minute whose body tells that it starts and never ends.
fn told_at_once() -> (Job, crate::rig::Starts) {
    let (tell, starts) = told();
    let job = Job::builder("job").cron("* * * * *").run(move |context: JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            std::future::pending::<()>().await;
        }
    });
    (job, starts)
}

/// A scheduler that a service drops by accident says so: it is not ready, and takes no request that nobody would run.
#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_is_dropped_is_not_ready_and_refuses_requests() {
    let rig = Rig::shared();
    let handle = rig.run([Job::builder("job").manual().run(|| async {})]).await.handle().clone();
    let health = handle.health();
    assert!(!health.ready, "{health:?}");
    assert!(health.degraded.iter().any(|told| told.contains("was dropped")), "{health:?}");
    let refused = soon(handle.trigger(TriggerRequest::new(id("job")))).await.expect_err("nothing would run it");
    assert!(matches!(refused, TriggerError::Stopped), "{refused}");
    soon(handle.stopped()).await;
    assert!(rows(&handle, "job").await.is_empty());
}
