//! How far executions say that they are.

use scheduler_core::{TriggerRequest, context::JobContext, execution::Progress, job::Job, status::Status};

use crate::{
    away::{Switch, SwitchedStore},
    rig::{Rig, SECOND, ended, gated, id, rows, soon},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_last_progress_of_a_million_is_kept_and_few_are_written() {
    let rig = Rig::new();
    let switch = Switch::default();
    let store = SwitchedStore { inner: rig.store.clone(), switch: switch.clone() };
    let job = Job::builder("job").manual().retries(0).run(|context: JobContext| async move {
        for done in 0..=1_000_000 {
            context.progress(done, 1_000_000);
        }
    });
    let scheduler = rig.run_on(store, [job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    assert_eq!(row.progress, None);
    ended(scheduler.handle(), &row).await;
    rig.pass(2 * SECOND).await;
    assert_eq!(rows(scheduler.handle(), "job").await[0].progress, Some(Progress::new(1_000_000, 1_000_000)));
    assert!((1..=4).contains(&switch.reports()), "{}", switch.reports());
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_seen_while_the_body_runs_and_stays_when_it_has_ended() {
    let rig = Rig::shared();
    let (gate, mut starts, go_on) = gated(Job::builder("gate").manual().retries(0));
    let job = Job::builder("job").manual().retries(0).run(|context: JobContext| async move {
        context.progress(3, 2);
        context.progress(7, 0);
        context.progress(1, 4);
        context.cancellation_token().cancelled().await;
    });
    let (first, other) = (rig.run([gate, job]).await, rig.run([]).await);
    let row = soon(first.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    soon(first.handle().trigger(TriggerRequest::new(id("gate")))).await.expect("accepted");
    starts.next().await;
    rig.pass(2 * SECOND).await;
    let running = soon(other.handle().execution(row.id)).await.expect("read").expect("a row");
    assert_eq!((running.status, running.progress), (Status::Running, Some(Progress::new(1, 4))));
    go_on.notify_one();
    rig.stop(first).await;
    let row = soon(other.handle().execution(row.id)).await.expect("read").expect("a row");
    assert_eq!((row.status, row.progress), (Status::Cancelled, Some(Progress::new(1, 4))));
    rig.stop(other).await;
}

/// A body that says nothing costs the store nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_writes_nothing() {
    let rig = Rig::new();
    let switch = Switch::default();
    let store = SwitchedStore { inner: rig.store.clone(), switch: switch.clone() };
    let scheduler = rig.run_on(store, [Job::builder("job").manual().run(|| async {})]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    assert_eq!(ended(scheduler.handle(), &row).await.progress, None);
    rig.pass(5 * SECOND).await;
    rig.stop(scheduler).await;
    assert_eq!(switch.reports(), 0);
}
