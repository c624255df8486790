//! What a service and its API use of a running scheduler.

mod audit;
mod backfill;
mod cancel;
mod elsewhere;
mod error;
mod jobs;
mod occurrences;
mod pause;
mod prune;
mod retry;
mod trigger;
mod wait;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

pub use backfill::{Backfill, Backfilled};
pub use cancel::Cancelled;
pub use error::OperatorError;
pub use jobs::JobStatus;
pub use trigger::{TriggerError, TriggerRequest, Triggered};

use crate::{
    clock::Clock,
    engine::{Health, HealthLog, limited},
    event::{Event, Events},
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    job::{Job, JobSettings},
    lock::LockBackend,
    occurrence::OccurrenceKey,
    store::{
        ExecutionPage, ExecutionQuery, InstanceRecord, JobState, LogPage, LogQuery, Store, StoreError, Summary,
        SummaryQuery,
    },
};

/// How long the store may take to answer a request of the service.
const LIMIT: Duration = Duration::from_secs(10);

/// A running scheduler, as the service and its API see it; cheap to clone.
///
/// It uses connections of its own, made on the service's runtime, so that a burst of requests takes none of the
/// engine's (R25). After the scheduler's shutdown it still reads.
#[derive(Clone)]
pub struct SchedulerHandle(Arc<Inner>);

struct Inner {
    instance: InstanceId,
    store: Arc<dyn Store>,
    /// The lock backend, where it is the claim: the store is not shared.
    locks: Option<Arc<dyn LockBackend>>,
    jobs: Vec<Job>,
    by_id: HashMap<JobId, usize>,
    clock: Arc<dyn Clock>,
    health: Arc<HealthLog>,
    events: Events,
    look: Arc<Notify>,
    finished: watch::Receiver<u64>,
    stopped: CancellationToken,
}

/// What a handle is made of.
pub(crate) struct HandleParts {
    pub(crate) instance: InstanceId,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) locks: Option<Arc<dyn LockBackend>>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Arc<HealthLog>,
    pub(crate) events: Events,
    /// Asks the engine for a look at what waits.
    pub(crate) look: Arc<Notify>,
    /// Changes when an execution of this instance has ended.
    pub(crate) finished: watch::Receiver<u64>,
    /// Fires once the engine has ended.
    pub(crate) stopped: CancellationToken,
}

impl SchedulerHandle {
    pub(crate) fn new(parts: HandleParts) -> Self {
        let HandleParts { instance, store, locks, jobs, clock, health, events, look, finished, stopped } = parts;
        let by_id = jobs.iter().enumerate().map(|(index, job)| (job.settings().id.clone(), index)).collect();
        let locks = locks.filter(|_| !store.capabilities().shared);
        Self(Arc::new(Inner { instance, store, locks, jobs, by_id, clock, health, events, look, finished, stopped }))
    }

    /// This instance.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        self.0.instance
    }

    /// Whether this instance starts what is due, and what works less well than it could.
    #[must_use]
    pub fn health(&self) -> Health {
        self.0.health.report(self.0.clock.uptime(), self.0.clock.now())
    }

    /// Waits until this instance's scheduler has stopped, whether calmly or as it was dropped: for what a service keeps open
    /// as long as it runs, such as streams.
    pub async fn stopped(&self) {
        self.0.stopped.cancelled().await;
    }

    /// What happens from now on in this instance. A receiver that falls 1,024 events behind loses the oldest, and is told
    /// how many.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// What the scheduler's clock says now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Ends once this much time has gone by on the scheduler's clock.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.0.clock.sleep(duration)
    }

    /// The definitions of this instance's jobs.
    #[must_use]
    pub fn definitions(&self) -> &[Job] {
        &self.0.jobs
    }

    /// One job's definition; `None` when this instance does not have it.
    #[must_use]
    pub fn definition(&self, id: &JobId) -> Option<&Job> {
        self.0.by_id.get(id).map(|index| &self.0.jobs[*index])
    }

    /// One row of the history.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.limited("read an execution", self.0.store.execution(id)).await
    }

    /// A page of the history, newest first.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError> {
        self.limited("read executions", self.0.store.executions(query)).await
    }

    /// Of each of these jobs, its newest rows, at most `each`, without what may be long.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn recent(&self, jobs: &[JobId], each: usize) -> Result<Vec<Execution>, StoreError> {
        self.limited("read recent executions", self.0.store.recent(jobs, each)).await
    }

    /// Lines that an execution logged.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        self.limited("read log lines", self.0.store.logs(query)).await
    }

    /// The attempts at an occurrence, newest first, at most `most`, without what may be long.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn attempts(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        self.limited("read an occurrence's attempts", self.0.store.attempts(job_id, occurrence, most)).await
    }

    /// How the newest runs went.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn summary(&self, query: &SummaryQuery) -> Result<Summary, StoreError> {
        self.limited("sum up executions", self.0.store.summary(query)).await
    }

    /// The instances that share the store, newest heartbeat first.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        self.limited("read the instances", self.0.store.instances()).await
    }

    /// Asks the engine for a look at what waits.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn look(&self) {
        self.0.look.notify_one();
    }

    /// The jobs that no live instance has, in whatever version (R22): nobody starts what they owe.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn orphaned(&self) -> Result<Vec<JobState>, StoreError> {
        let leases = self.0.jobs.iter().map(|job| job.settings().lease_ttl);
        let lease = leases.max().unwrap_or(JobSettings::DEFAULT_LEASE);
        self.limited("read orphaned jobs", self.0.store.orphaned(lease)).await
    }

    async fn limited<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        limited(&*self.0.clock, LIMIT, operation, call).await
    }
}

impl fmt::Debug for SchedulerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerHandle").field("instance", &self.0.instance).finish_non_exhaustive()
    }
}
