//! A job's key that an operator deletes, or makes another type, under a scheduler that runs.

use std::time::Duration;

use redis::AsyncCommands as _;
use scheduler_core::{
    Scheduler,
    event::{Backend, Event},
    job::Job,
    status::Status,
    store::memory::MemoryStore,
    testing::{LedgerJob, check_ledger},
};

use crate::server::{beside, locks};

const SECOND: Duration = Duration::from_secs(1);

/// Waits until this has been told so many times.
async fn told(events: &mut tokio::sync::broadcast::Receiver<Event>, times: usize, fits: impl Fn(&Event) -> bool) {
    let wait = async {
        let mut seen = 0;
        while seen < times {
            seen += usize::from(fits(&events.recv().await.expect("the scheduler lives and tells little")));
        }
    };
    tokio::time::timeout(60 * SECOND, wait).await.expect("it is told within a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_deleted_or_made_another_type_costs_no_occurrence() {
    let locks = locks();
    let key = format!("{}:job", locks.namespace());
    let store = MemoryStore::new().declared_shared();
    let job = Job::builder("job").every(SECOND).run(|| async {});
    let settings = job.settings().clone();
    let scheduler = Scheduler::builder(store).lock_backend(locks).jobs([job]).build().expect("a valid job");
    let scheduler = scheduler.start().await.expect("both answer");
    let mut events = scheduler.handle().events();
    let succeeded = |event: &Event| matches!(event, Event::Finished { status: Status::Succeeded, .. });
    told(&mut events, 2, succeeded).await;
    let mut beside = beside().await;
    let _: () = beside.del(&key).await.expect("deleted");
    told(&mut events, 2, succeeded).await;
    let _: () = redis::pipe().del(&key).rpush(&key, "theirs").query_async(&mut beside).await.expect("spoiled");
    told(&mut events, 1, |event| *event == Event::BackendAway { backend: Backend::Locks }).await;
    let health = scheduler.handle().health();
    assert!(health.ready && !health.degraded.is_empty(), "the store decides alone: {health:?}");
    told(&mut events, 3, succeeded).await;
    let _: () = beside.del(&key).await.expect("deleted");
    told(&mut events, 1, |event| *event == Event::BackendBack { backend: Backend::Locks }).await;
    told(&mut events, 2, succeeded).await;
    let query = scheduler_core::store::ExecutionQuery {
        filter: scheduler_core::store::ExecutionFilter::default(),
        start: scheduler_core::store::PageStart::Offset(0),
        limit: 1_000,
        count: false,
    };
    let rows = scheduler.handle().executions(&query).await.expect("in memory").executions;
    let ends = rows.iter().filter(|row| row.status.is_final()).map(|row| row.scheduled_at);
    let (after, until) = (ends.clone().min().expect("one ended"), ends.max().expect("one ended"));
    assert_eq!(check_ledger(&[LedgerJob { settings, after, until }], &rows), []);
    assert!(rows.iter().all(|row| row.status != Status::Missed), "{rows:?}");
    scheduler.shutdown(5 * SECOND).await;
    let _: () = beside.del(&key).await.expect("cleared");
}
