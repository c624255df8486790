//! A scheduler that a test drives.

#[cfg(test)]
mod tests;

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::unconstrained;

use super::{Faults, executor::Executor, process::Process};
use crate::{
    RunningScheduler, Scheduler, SchedulerBuilder, SchedulerHandle, TriggerError, TriggerRequest,
    build_error::BuildError,
    clock::{Clock as _, ManualClock},
    duty::LOOK,
    execution::Execution,
    identity::JobId,
    occurrence::OccurrenceKey,
    store::{
        ControlStore as _, DueRequest, ExecutionFilter, ExecutionQuery, ExecutionStore as _, HistoryStore as _,
        PageStart, memory::MemoryStore,
    },
};

/// How long a step is while something runs or waits: shorter than what a healthy process would notice.
const STEP: Duration = Duration::from_millis(500);

/// A scheduler that does nothing until it is told: time is a [`ManualClock`], the store is in memory, and its tasks are
/// polled by the methods here alone.
///
/// Time that nothing needs is skipped: a month of a daily job takes milliseconds. Bodies are polled by the test's own
/// task, so they may use its runtime; a body that blocks, blocks the test.
///
/// ```
/// use scheduler_core::{
///     extract::ScheduledAt,
///     job::Job,
///     status::Status,
///     testing::ManualScheduler,
/// };
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // In a service: `jobs![auto_create_daily_attendance]`, with `.state(…)` as in production.
/// let job = Job::builder("attendance").cron("30 0 * * *").tz("Asia/Jakarta");
/// let job = job.run(|at: ScheduledAt| async move { at.date_naive().to_string() });
///
/// let mut scheduler = ManualScheduler::start("2026-01-31T17:00:00Z".parse()?, |it| it.jobs([job])).await?;
/// scheduler.advance(Duration::from_secs(28 * 24 * 60 * 60)).await;
///
/// let month = scheduler.executions("attendance").await;
/// assert_eq!(month.len(), 28);
/// assert!(month.iter().all(|execution| execution.status == Status::Succeeded));
/// assert_eq!(month[0].message.as_deref(), Some("2026-02-01"));
/// assert_eq!(month[27].message.as_deref(), Some("2026-02-28"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ManualScheduler {
    clock: ManualClock,
    store: MemoryStore,
    faults: Faults,
    executor: Executor,
    process: Process,
    running: Option<RunningScheduler>,
    handle: SchedulerHandle,
}

impl ManualScheduler {
    /// Starts a scheduler at this instant; `parts` gives it its jobs and state. Nothing runs yet.
    ///
    /// The store and the clock are this scheduler's own, and `parts` leaves them alone.
    ///
    /// # Errors
    /// Every mistake in the parts, as from [`SchedulerBuilder::build`].
    ///
    /// # Panics
    /// When a lock backend that `parts` gives does not answer.
    pub async fn start(
        at: DateTime<Utc>,
        parts: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder,
    ) -> Result<Self, BuildError> {
        let clock = ManualClock::new(at);
        let store = MemoryStore::new().with_clock(Arc::new(clock.clone()));
        let faults = Faults::new(clock.clone());
        let scheduler = parts(Scheduler::builder(faults.store(store.clone())).clock(clock.clone())).build()?;
        let executor = Executor::new();
        let process = Process::new(&executor);
        let (handle, starting) = scheduler.start_in(process.tasks());
        let running = drive(&executor, starting).await.expect("a store in memory answers");
        Ok(Self { clock, store, faults, executor, process, running: Some(running), handle })
    }

    /// The clock. [`ManualClock::advance`] makes time go by at once, as on a machine that slept, and
    /// [`ManualClock::step`] sets the wall clock alone; what follows from it comes with the next method called here.
    #[must_use]
    pub const fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// What a service and its API use of the scheduler. What it asks for is done by the next method called here.
    #[must_use]
    pub const fn handle(&self) -> &SchedulerHandle {
        &self.handle
    }

    /// The store: for what is to read on after the shutdown, with a clock of its own.
    #[must_use]
    pub const fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// What breaks the way to the store.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Lets time go by: each occurrence on the way starts at its instant, each retry after its delay.
    ///
    /// Time stands still while a body runs, so this returns only when every body has ended; [`ManualScheduler::pass`]
    /// is for bodies that are to run on.
    pub async fn advance(&mut self, time: Duration) {
        self.go_by(time, true).await;
    }

    /// Lets time go by whether bodies run or not: for timeouts, overlaps and leases.
    pub async fn pass(&mut self, time: Duration) {
        self.go_by(time, false).await;
    }

    /// Runs what is due now, and returns when every body has ended. No time goes by.
    pub async fn run_due(&mut self) {
        self.settle(true).await;
        let mut before = Vec::new();
        loop {
            let due = self.store.due(&self.due(usize::MAX)).await.expect("a store in memory answers");
            let due: Vec<_> = due.into_iter().map(|row| row.execution_id).collect();
            // What is due and not taken at a look is not taken at the next one either.
            if due.is_empty() || due == before {
                return;
            }
            before = due;
            self.handle.look();
            self.settle(true).await;
        }
    }

    /// Runs a job now, and answers the attempt as it ended. A retry, if one follows, waits for its time.
    ///
    /// # Errors
    /// As from [`SchedulerHandle::trigger`].
    pub async fn trigger(&mut self, request: TriggerRequest) -> Result<Execution, TriggerError> {
        let accepted = self.handle.trigger(request).await?.execution;
        self.run_due().await;
        let row = self.store.execution(accepted.id).await?;
        Ok(row.unwrap_or(accepted))
    }

    /// The rows of a job, oldest first.
    ///
    /// # Panics
    /// When the text is no job id.
    pub async fn executions(&self, job: &str) -> Vec<Execution> {
        let job_id = JobId::parse(job).expect("a job's id");
        let query = ExecutionQuery {
            filter: ExecutionFilter { job_id: Some(job_id), ..ExecutionFilter::default() },
            start: PageStart::Offset(0),
            limit: usize::MAX,
            count: false,
        };
        let mut rows = self.store.executions(&query).await.expect("a store in memory answers").executions;
        rows.reverse();
        rows
    }

    /// Stops calmly, as [`RunningScheduler::shutdown`] does, letting time go by until it has.
    pub async fn shutdown(mut self, drain: Duration) {
        let Some(running) = self.running.take() else { return };
        let mut stop = pin!(running.shutdown(drain));
        loop {
            let stopped = poll_fn(|context| {
                self.executor.poll_ready(context);
                Poll::Ready(stop.as_mut().poll(context).is_ready())
            });
            if unconstrained(stopped).await {
                return;
            }
            self.clock.advance(STEP);
        }
    }

    async fn go_by(&mut self, time: Duration, waits: bool) {
        let end = self.clock.uptime() + time;
        loop {
            self.settle(waits).await;
            let left = end.saturating_sub(self.clock.uptime());
            if left.is_zero() {
                return;
            }
            let step = self.next_step().await;
            self.clock.advance(step.min(left));
        }
    }

    /// Polls until nothing more happens at this instant, and no body runs if it `waits` for them.
    async fn settle(&self, waits: bool) {
        unconstrained(poll_fn(|context| {
            self.executor.poll_ready(context);
            if waits && self.process.service.len() > 0 { Poll::Pending } else { Poll::Ready(()) }
        }))
        .await;
    }

    fn due(&self, limit: usize) -> DueRequest {
        DueRequest { instance: self.handle.instance(), jobs: None, after: None, limit }
    }

    /// How long nothing happens that would be missed by waking only then.
    async fn next_step(&self) -> Duration {
        let now = self.clock.now();
        if self.store.is_running() || !self.store.due(&self.due(1)).await.is_ok_and(|due| due.is_empty()) {
            return STEP;
        }
        let jobs = self.handle.definitions().iter().map(|job| job.settings());
        let ids: Vec<JobId> = jobs.clone().map(|settings| settings.id.clone()).collect();
        let states = self.store.states(&ids).await.unwrap_or_default();
        let look = TimeDelta::from_std(LOOK).expect("two seconds");
        let mut next = self.store.next_pending(now);
        for settings in jobs.filter(|settings| settings.enabled) {
            let state = states.iter().find(|state| state.job_id == settings.id && state.pause.is_none());
            let instance = self.handle.instance();
            let owed = state.and_then(|state| settings.trigger.next_after(state.watermark));
            let owed = owed.map(|owed| (owed, settings.not_before(owed, instance)));
            if let Some((owed, due_at)) = owed.filter(|(_, due_at)| *due_at <= now) {
                // What went by is decided at a look; what has no row yet is on its way to one.
                let newest = self.store.newest_attempt(&settings.id, &OccurrenceKey::scheduled(owed)).await;
                if due_at <= now - look || newest.is_ok_and(|newest| newest.is_none()) {
                    return STEP;
                }
            }
            let due = settings.next_due_after(now, instance).map(|due| settings.not_before(due, instance));
            next = next.into_iter().chain(due).min();
        }
        next.and_then(|next| (next - now).to_std().ok()).unwrap_or(Duration::MAX)
    }
}

impl Drop for ManualScheduler {
    fn drop(&mut self) {
        // What its tasks hold holds the tasks: they are dropped by hand.
        self.process.crash();
    }
}

/// Polls a future, and the tasks that it waits for.
async fn drive<T>(executor: &Executor, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    unconstrained(poll_fn(|context| {
        // What the tasks do may be what it waits for, and they may wait for what it does.
        let before = future.as_mut().poll(context);
        executor.poll_ready(context);
        if before.is_ready() { before } else { future.as_mut().poll(context) }
    }))
    .await
}
