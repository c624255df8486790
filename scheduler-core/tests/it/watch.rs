//! What the scheduler tells of, and what it tells once.

use std::{sync::Arc, time::Duration};

use scheduler_core::{
    SchedulerHandle, TriggerRequest,
    context::JobContext,
    event::{Backend, Event},
    job::{CatchUp, Job},
    status::{Reason, Status},
};
use tokio::sync::broadcast::Receiver;

use crate::{
    away::{Switch, SwitchedStore},
    rig::{MINUTE, Rig, SECOND, endless, id, soon, start, telling, told},
};

/// Those that were told so far.
fn so_far(events: &mut Receiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// Lets time go by until one is told that fits; answers it, and how many such there were within a minute more.
async fn told_once(rig: &Rig, events: &mut Receiver<Event>, fits: impl Fn(&Event) -> bool) -> Event {
    let look = async {
        loop {
            if let Some(event) = so_far(events).into_iter().find(&fits) {
                return event;
            }
            rig.pass(SECOND).await;
        }
    };
    let event = soon(look).await;
    rig.pass(MINUTE / 2).await;
    assert_eq!(so_far(events).into_iter().filter(&fits).count(), 0, "told again: {event:?}");
    event
}

async fn trigger(handle: &SchedulerHandle, job: &str) {
    soon(handle.trigger(TriggerRequest::new(id(job)))).await.expect("accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_of_from_its_start_to_its_outcome() {
    let rig = Rig::new();
    let (job, mut starts) = telling(Job::builder("job").cron("* * * * *"));
    let scheduler = rig.run([job]).await;
    let mut events = scheduler.handle().events();
    rig.pass(MINUTE).await;
    let occurrence = starts.next().await;
    rig.rows(scheduler.handle(), "job", 1).await;
    rig.clock.settle().await;
    let told = so_far(&mut events);
    let [
        Event::Started { job_id, occurrence: started, attempt: 1, lag, .. },
        Event::Finished { status, next: None, .. },
    ] = &told[..2]
    else {
        panic!("{told:?}")
    };
    assert_eq!((job_id, started, *status), (&id("job"), &occurrence, Status::Succeeded));
    assert!(*lag < SECOND, "{lag:?}");
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_without_a_row_is_told_of_once() {
    let rig = Rig::shared();
    let switch = Switch::default();
    let store = SwitchedStore { inner: rig.store.clone(), switch: switch.clone() };
    let (job, _starts) = telling(Job::builder("job").cron("1 0 * * *").catch_up(CatchUp::Skip));
    let scheduler = rig.run_on(store, [job]).await;
    let mut events = scheduler.handle().events();
    rig.pass(MINUTE - SECOND).await;
    switch.set_away(true);
    rig.pass(5 * SECOND).await;
    let overdue = told_once(&rig, &mut events, |event| matches!(event, Event::Overdue { .. })).await;
    assert_eq!(overdue, Event::Overdue { job_id: id("job"), scheduled_at: start() + MINUTE });
    rig.pass(MINUTE).await;
    switch.set_away(false);
    rig.pass(5 * SECOND).await;
    let told = so_far(&mut events);
    assert!(told.contains(&Event::BackendBack { backend: Backend::Store }), "{told:?}");
    let missed = told.iter().any(|event| matches!(event, Event::Missed { count: 1, .. }));
    assert!(missed, "{told:?}");
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_told_of_once() {
    let rig = Rig::shared();
    let switch = Switch::default();
    let store = SwitchedStore { inner: rig.store.clone(), switch: switch.clone() };
    let (job, _starts) = telling(Job::builder("job").manual());
    let scheduler = rig.run_on(store, [job]).await;
    let mut events = scheduler.handle().events();
    switch.set_away(true);
    let away = told_once(&rig, &mut events, |event| matches!(event, Event::BackendAway { .. })).await;
    assert_eq!(away, Event::BackendAway { backend: Backend::Store });
    switch.set_away(false);
    rig.stop(scheduler).await;
}

/// R18: until the task has ended its row stays running.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_will_not_stop_is_told_of_and_keeps_its_row_running() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let (let_go, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let job = Job::builder("job").manual().timeout(5 * SECOND).retries(0).run(move |context: JobContext| {
        let (tell, gate) = (tell.clone(), Arc::clone(&gate));
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            // No await: the thread itself waits.
            let _ = gate.lock().expect("one body alone").recv();
        }
    });
    let scheduler = rig.run([job]).await;
    let mut events = scheduler.handle().events();
    trigger(scheduler.handle(), "job").await;
    starts.next().await;
    let stuck = told_once(&rig, &mut events, |event| matches!(event, Event::Stuck { .. })).await;
    let Event::Stuck { execution_id, reason: Reason::Timeout, .. } = stuck else { panic!("{stuck:?}") };
    rig.pass(MINUTE).await;
    let row = scheduler.handle().execution(execution_id).await.expect("read").expect("there");
    assert!(row.status == Status::Running && row.holds_key, "its lease is renewed as long as it runs: {row:?}");
    let again = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await;
    assert!(again.is_err(), "the key is its own until it has really ended");
    let_go.send(()).expect("the body waits");
    // It answered in the end, and what it answered counts.
    assert_eq!(rig.rows(scheduler.handle(), "job", 1).await[0].status, Status::Succeeded);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_went_away_without_a_word_is_told_of_and_one_that_left_is_not() {
    let rig = Rig::shared();
    let (job, mut starts) = endless(Job::builder("job").manual());
    let looks = rig.run([job.clone()]).await;
    let leaves = rig.run([job.clone()]).await;
    let dies = rig.run([job]).await;
    let mut events = looks.handle().events();
    trigger(dies.handle(), "job").await;
    starts.next().await;
    let (instance, left) = (dies.handle().instance(), leaves.handle().instance());
    rig.stop(leaves).await;
    drop(dies);
    let is_gone = |event: &Event| matches!(event, Event::InstanceGone { .. });
    let gone = told_once(&rig, &mut events, is_gone).await;
    assert!(matches!(gone, Event::InstanceGone { instance: of, .. } if of == instance && of != left), "{gone:?}");
    rig.stop(looks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_instance_s_run_is_told_of() {
    let rig = Rig::shared();
    let (job, mut starts) = endless(Job::builder("job").manual());
    let looks = rig.run([job.clone()]).await;
    let dies = rig.run([job]).await;
    let mut events = looks.handle().events();
    trigger(dies.handle(), "job").await;
    starts.next().await;
    rig.clock.settle().await;
    let runs_here = so_far(&mut events).iter().any(|event| matches!(event, Event::Started { .. }));
    let (stays, dies) = if runs_here { (dies, looks) } else { (looks, dies) };
    let mut events = stays.handle().events();
    drop(dies);
    let abandoned = told_once(&rig, &mut events, |event| matches!(event, Event::Abandoned { .. })).await;
    assert!(matches!(abandoned, Event::Abandoned { next: None, .. }), "{abandoned:?}");
    rig.stop(stays).await;
}

/// R13: the wall clock is looked at once a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_loop_that_stood_still_is_not_ready_and_told_of_when_it_goes_on() {
    let rig = Rig::new();
    let (job, mut starts) = telling(Job::builder("job").cron("* * * * *"));
    let scheduler = rig.run([job]).await;
    let mut events = scheduler.handle().events();
    rig.pass(MINUTE).await;
    starts.next().await;
    so_far(&mut events);
    // A machine that slept.
    rig.clock.advance(40 * SECOND);
    let is_stalled = |event: &Event| matches!(event, Event::Stalled { .. });
    let stalled = told_once(&rig, &mut events, is_stalled).await;
    let Event::Stalled { duration } = stalled else { panic!("{stalled:?}") };
    assert!(duration >= Duration::from_secs(39), "{duration:?}");
    assert!(scheduler.handle().health().ready, "it goes on");
    rig.stop(scheduler).await;
}
