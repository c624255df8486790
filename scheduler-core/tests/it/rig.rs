//! A scheduler by hand: a clock that stands still, a store in memory, and what its jobs tell.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use scheduler_core::{
    RunningScheduler, Scheduler, SchedulerHandle,
    clock::Clock as _,
    context::JobContext,
    execution::Execution,
    identity::JobId,
    job::{Job, JobBuilder},
    occurrence::OccurrenceKey,
    status::Status,
    store::{ExecutionFilter, ExecutionQuery, PageStart, Store, memory::MemoryStore},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::clock::RigClock;

/// How long a test waits for what must come, in real time; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Where the clock of each test starts: on a whole minute.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().expect("an instant")
}

pub(crate) fn id(id: &str) -> JobId {
    JobId::parse(id).expect("a valid id")
}

/// A clock and a store that schedulers share.
#[derive(Debug, Clone)]
pub(crate) struct Rig {
    pub(crate) clock: RigClock,
    pub(crate) store: MemoryStore,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let clock = RigClock::new(start());
        let store = MemoryStore::new().with_clock(Arc::new(clock.clone()));
        Self { clock, store }
    }

    /// Of which several schedulers may share the store.
    pub(crate) fn shared() -> Self {
        let rig = Self::new();
        Self { store: rig.store.declared_shared(), ..rig }
    }

    /// Starts a scheduler of these jobs.
    pub(crate) async fn run(&self, jobs: impl IntoIterator<Item = Job>) -> RunningScheduler {
        self.run_on(self.store.clone(), jobs).await
    }

    /// Starts a scheduler of these jobs on another store.
    pub(crate) async fn run_on(&self, store: impl Store, jobs: impl IntoIterator<Item = Job>) -> RunningScheduler {
        let scheduler = Scheduler::builder(store).jobs(jobs).clock(self.clock.clone()).build().expect("valid jobs");
        soon(scheduler.start()).await.expect("the store answers")
    }

    /// Stops a scheduler, letting time go by until it has.
    pub(crate) async fn stop(&self, scheduler: RunningScheduler) {
        let stopping = scheduler.shutdown(SECOND);
        tokio::pin!(stopping);
        let stop = async {
            loop {
                tokio::select! {
                    () = &mut stopping => return,
                    () = self.pass(SECOND / 2) => {}
                }
            }
        };
        soon(stop).await;
    }

    /// Lets time go by in steps no longer than what a healthy process would notice.
    pub(crate) async fn pass(&self, time: Duration) {
        /// Renewals come every 5 s or sooner: a longer step is a machine that slept.
        const STEP: Duration = Duration::from_millis(500);
        let end = self.clock.uptime() + time;
        while self.clock.uptime() < end {
            self.clock.advance(STEP.min(end - self.clock.uptime()));
            self.clock.settle().await;
        }
    }

    /// Lets time go by until the job has this many final rows, and answers them, oldest first.
    pub(crate) async fn rows(&self, handle: &SchedulerHandle, job: &str, count: usize) -> Vec<Execution> {
        let look = async {
            loop {
                let rows = rows(handle, job).await;
                if rows.iter().filter(|row| row.status.is_final()).count() >= count {
                    return rows;
                }
                self.pass(SECOND / 2).await;
            }
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(rows) => rows,
            Err(_) => panic!("{count} final rows of `{job}` did not come: {:#?}", rows(handle, job).await),
        }
    }
}

/// The rows of a job, oldest first.
pub(crate) async fn rows(handle: &SchedulerHandle, job: &str) -> Vec<Execution> {
    let query = ExecutionQuery {
        filter: ExecutionFilter { job_id: Some(id(job)), ..ExecutionFilter::default() },
        start: PageStart::Offset(0),
        limit: 10_000,
        count: false,
    };
    let mut rows = handle.executions(&query).await.expect("the memory store answers").executions;
    rows.reverse();
    rows
}

/// The rows in a few words, such as `succeeded #1`.
pub(crate) fn words(rows: &[Execution]) -> Vec<String> {
    let reason = |row: &Execution| row.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    rows.iter().map(|row| format!("{}{} #{}", row.status, reason(row), row.attempt)).collect()
}

/// Waits until an occurrence has ended.
pub(crate) async fn ended(handle: &SchedulerHandle, row: &Execution) -> Execution {
    let end = handle.wait(&row.job_id, &row.occurrence, MINUTE * 60);
    let end = soon(end).await.expect("the store answers").expect("the row is there");
    assert!(end.status.is_final());
    end
}

/// What must come soon.
pub(crate) async fn soon<T>(what: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it comes within a minute")
}

/// A job that tells of each start.
pub(crate) fn told() -> (mpsc::UnboundedSender<OccurrenceKey>, Starts) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Starts(receiver))
}

/// A job whose body tells of its start and ends.
pub(crate) fn telling(job: JobBuilder) -> (Job, Starts) {
    let (tell, starts) = told();
    let job = job.run(move |context: JobContext| {
        let tell = tell.clone();
        async move { tell.send(context.occurrence().clone()).expect("the test listens") }
    });
    (job, starts)
}

/// A job whose body tells of its start and runs until it is told to stop.
pub(crate) fn endless(job: JobBuilder) -> (Job, Starts) {
    let (tell, starts) = told();
    let job = job.run(move |context: JobContext, stop: CancellationToken| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            stop.cancelled().await;
        }
    });
    (job, starts)
}

/// A job whose body tells of its start, waits until it may go on, and says what it saw of its token.
pub(crate) fn gated(job: JobBuilder) -> (Job, Starts, Arc<Notify>) {
    let (tell, starts) = told();
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let job = job.run(move |context: JobContext| {
        let (tell, gate) = (tell.clone(), Arc::clone(&gate));
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            gate.notified().await;
            if context.cancellation_token().is_cancelled() { "disturbed" } else { "undisturbed" }
        }
    });
    (job, starts, go_on)
}

/// The starts that bodies tell of.
#[derive(Debug)]
pub(crate) struct Starts(mpsc::UnboundedReceiver<OccurrenceKey>);

impl Starts {
    pub(crate) async fn next(&mut self) -> OccurrenceKey {
        soon(self.0.recv()).await.expect("the job lives")
    }

    /// Those that have come so far.
    pub(crate) fn so_far(&mut self) -> Vec<OccurrenceKey> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

/// The statuses of rows.
pub(crate) fn statuses(rows: &[Execution]) -> Vec<Status> {
    rows.iter().map(|row| row.status).collect()
}
