//! A scheduler: from its parts, to running, to its calm stop.

mod builder;
mod calendars;
mod dependencies;

use std::{sync::Arc, time::Duration};

pub use builder::SchedulerBuilder;
use scheduler_cron::{NamedZone, ZoneData};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    context::StateMap,
    engine::{Capture, ContinueTrace, EngineParts, EngineThread, HealthLog},
    event::Events,
    handle::{HandleParts, SchedulerHandle},
    identity::InstanceId,
    job::Job,
    lock::LockBackend,
    start_error::StartError,
    store::Store,
};

/// A scheduler whose parts fit together, before it starts.
///
/// ```no_run
/// use scheduler_core::{Scheduler, job::Job, store::memory::MemoryStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let hello = Job::builder("hello").every(std::time::Duration::from_secs(5)).run(|| async { "hello" });
/// let scheduler = Scheduler::builder(MemoryStore::new()).job(hello).build()?.start().await?;
/// // … the service serves …
/// scheduler.shutdown(std::time::Duration::from_secs(30)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a scheduler runs nothing until it is started"]
pub struct Scheduler {
    store: Arc<dyn Store>,
    locks: Option<Arc<dyn LockBackend>>,
    jobs: Vec<Job>,
    state: StateMap,
    clock: Arc<dyn Clock>,
    version: String,
    capture: Capture,
    continue_trace: Option<ContinueTrace>,
}

impl Scheduler {
    /// Begins a scheduler on a store; its jobs are those that `#[scheduled_job]` links into the program, unless
    /// [`SchedulerBuilder::jobs`] lists them.
    pub fn builder(store: impl Store) -> SchedulerBuilder {
        SchedulerBuilder::new(Arc::new(store))
    }

    /// Starts the scheduler on a thread of its own; bodies run on the runtime that this is called on.
    ///
    /// Returns once both backends have answered and the jobs are announced, before any of them has run.
    ///
    /// # Errors
    /// When a backend does not answer within 10 s, refuses, or does not fit this code. Nothing runs then.
    ///
    /// # Cancel safety
    /// Dropped, the scheduler stops before it has claimed anything more.
    pub async fn start(self) -> Result<RunningScheduler, StartError> {
        let (handle, parts) = self.into_parts();
        Ok(RunningScheduler { handle, engine: EngineThread::start(parts).await? })
    }

    /// Starts the scheduler in a process of a test's.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn start_in(
        self,
        tasks: crate::engine::Tasks,
    ) -> (SchedulerHandle, impl Future<Output = Result<RunningScheduler, StartError>>) {
        let (handle, parts) = self.into_parts();
        let known = handle.clone();
        let starting = async { Ok(RunningScheduler { handle, engine: EngineThread::start_in(parts, tasks).await? }) };
        (known, starting)
    }

    /// The same scheduler, with each job as this function makes it.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn watched(mut self, watch: impl Fn(&Job) -> Job) -> Self {
        self.jobs = self.jobs.iter().map(watch).collect();
        self
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    fn into_parts(self) -> (SchedulerHandle, EngineParts) {
        let instance = InstanceId::random();
        let events = Events::default();
        let in_a_zone = |job: &Job| job.settings().zone() != NamedZone::UTC;
        let health = HealthLog::new(events.clone(), ZoneData::in_use(), self.jobs.iter().any(in_a_zone));
        let health = Arc::new(health);
        let look = Arc::new(Notify::new());
        let finished = watch::Sender::new(0);
        let stopped = CancellationToken::new();
        let handle = SchedulerHandle::new(HandleParts {
            instance,
            store: self.store.attach(),
            locks: self.locks.as_ref().map(|locks| locks.attach()),
            jobs: self.jobs.clone(),
            clock: Arc::clone(&self.clock),
            health: Arc::clone(&health),
            events: events.clone(),
            look: Arc::clone(&look),
            finished: finished.subscribe(),
            stopped: stopped.clone(),
        });
        let parts = EngineParts {
            instance,
            version: self.version,
            capture: self.capture,
            continue_trace: self.continue_trace,
            clock: self.clock,
            store: self.store,
            locks: self.locks,
            jobs: self.jobs,
            state: Arc::new(self.state),
            health,
            events,
            look,
            finished,
            stopped,
        };
        (handle, parts)
    }
}

/// A scheduler that runs.
///
/// Dropped without [`RunningScheduler::shutdown`] it stops at once, as a crash does: what runs is found by recovery. That is told
/// as an error, the instance is not ready any more, and requests are refused with [`TriggerError::Stopped`].
///
/// [`TriggerError::Stopped`]: crate::TriggerError::Stopped
#[derive(Debug)]
#[must_use = "a scheduler that is dropped stops at once, without letting its executions end"]
pub struct RunningScheduler {
    handle: SchedulerHandle,
    engine: EngineThread,
}

impl RunningScheduler {
    /// What a service and its API use of a running scheduler; cheap to clone.
    #[must_use]
    pub const fn handle(&self) -> &SchedulerHandle {
        &self.handle
    }

    /// Stops calmly, within the drain time and 10 s: claims nothing more, lets executions end within the drain time, tells the rest to stop and gives
    /// them 5 s, and writes every outcome (R11). What a body answers that was told to stop counts as
    /// [`JobContext::cancellation_token`](crate::context::JobContext::cancellation_token) says.
    ///
    /// # Cancel safety
    /// Dropped, the stop goes on by itself.
    pub async fn shutdown(self, drain: Duration) {
        self.engine.shutdown(drain).await;
    }
}
