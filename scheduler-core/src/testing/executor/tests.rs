use std::{
    future::poll_fn,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use super::*;
use crate::{
    Scheduler,
    clock::ManualClock,
    engine::Tasks,
    job::Job,
    store::{ExecutionFilter, ExecutionQuery, PageStart, memory::MemoryStore},
};

/// Polls until nothing is ready.
async fn settle(executor: &Executor) {
    tokio::task::unconstrained(poll_fn(|context| {
        executor.poll_ready(context);
        Poll::Ready(())
    }))
    .await;
}

/// A task that counts the times it is told to.
fn counting(group: &Group) -> (Arc<Notify>, Arc<AtomicUsize>) {
    let (tell, count) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (told, counter) = (Arc::clone(&tell), Arc::clone(&count));
    group.spawn(async move {
        loop {
            told.notified().await;
            counter.fetch_add(1, SeqCst);
        }
    });
    (tell, count)
}

#[tokio::test]
async fn a_frozen_task_is_not_polled_and_goes_on_when_thawed() {
    let executor = Executor::new();
    let group = executor.group();
    let (tell, count) = counting(&group);
    settle(&executor).await;
    group.freeze();
    tell.notify_one();
    settle(&executor).await;
    assert_eq!(count.load(SeqCst), 0);
    group.thaw();
    settle(&executor).await;
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test]
async fn a_crash_drops_all_tasks_of_its_group_at_once_and_what_comes_later() {
    let executor = Executor::new();
    let (group, other) = (executor.group(), executor.group());
    let (tell, count) = counting(&group);
    let (tell_other, count_other) = counting(&other);
    settle(&executor).await;
    group.crash();
    assert_eq!(Arc::strong_count(&count), 1, "the task's part of it is gone");
    let (_, late) = counting(&group);
    assert_eq!((group.len(), Arc::strong_count(&late)), (0, 1));
    tell.notify_one();
    tell_other.notify_one();
    settle(&executor).await;
    assert_eq!((count.load(SeqCst), count_other.load(SeqCst)), (0, 1));
}

#[tokio::test]
async fn an_aborted_task_ends_and_whoever_waits_for_it_goes_on() {
    let executor = Executor::new();
    let group = executor.group();
    let task = group.spawn(std::future::pending());
    settle(&executor).await;
    assert_eq!(group.len(), 1);
    task.abort();
    task.ended().await;
    assert_eq!(group.len(), 0);
}

#[tokio::test]
async fn a_seed_draws_the_same_order_of_what_is_ready() {
    async fn order(executor: Executor) -> Vec<usize> {
        let group = executor.group();
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..20 {
            let order = Arc::clone(&order);
            group.spawn(async move { order.lock().expect("not poisoned").push(number) });
        }
        settle(&executor).await;
        Arc::into_inner(order).expect("all tasks have ended").into_inner().expect("not poisoned")
    }
    let in_turn: Vec<usize> = (0..20).collect();
    assert_eq!(order(Executor::new()).await, in_turn);
    let drawn = order(Executor::seeded(1)).await;
    assert_ne!(drawn, in_turn);
    assert_eq!(order(Executor::seeded(1)).await, drawn);
    assert_ne!(order(Executor::seeded(2)).await, drawn);
}

#[tokio::test]
async fn a_scheduler_lives_in_a_process_and_dies_with_it() {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().expect("an instant");
    let clock = ManualClock::new(start);
    let store = MemoryStore::new().with_clock(Arc::new(clock.clone()));
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let job = Job::builder("job").every(Duration::from_secs(60)).run(move || {
        counter.fetch_add(1, SeqCst);
        async {}
    });
    let scheduler = Scheduler::builder(store).jobs([job]).clock(clock.clone()).build().expect("a valid job");
    let executor = Executor::new();
    let tasks = Tasks::Process { engine: executor.group(), service: executor.group() };
    let Tasks::Process { engine, service } = tasks.clone() else { unreachable!("made above") };
    let (_, starting) = scheduler.start_in(tasks);
    tokio::pin!(starting);
    let running = poll_fn(|context| {
        let poll = starting.as_mut().poll(context);
        executor.poll_ready(context);
        poll
    })
    .await
    .expect("the store is in memory");
    clock.advance(Duration::from_secs(60));
    settle(&executor).await;
    assert_eq!(runs.load(SeqCst), 1);
    let query =
        ExecutionQuery { filter: ExecutionFilter::default(), start: PageStart::Offset(0), limit: 10, count: false };
    let rows = running.handle().executions(&query).await.expect("in memory").executions;
    assert_eq!(rows.iter().map(|row| row.status.as_str()).collect::<Vec<_>>(), ["succeeded"]);
    engine.crash();
    service.crash();
    clock.advance(Duration::from_secs(60));
    settle(&executor).await;
    assert_eq!(runs.load(SeqCst), 1);
}
