//! What a body can know of its execution.

mod state;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Utc};
use scheduler_cron::NamedZone;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use state::StateMap;

use crate::{
    engine::Reporter,
    execution::Progress,
    identity::{ExecutionId, FencingToken, InstanceId, JobId},
    job::JobSettings,
    occurrence::{OccurrenceKey, Origin},
    trace_context::TraceContext,
};

/// What a body can know of its execution; cheap to clone.
#[derive(Clone)]
pub struct JobContext(Arc<Inner>);

/// What the engine gives a context.
pub(crate) struct Inner {
    pub(crate) settings: Arc<JobSettings>,
    pub(crate) execution_id: ExecutionId,
    pub(crate) occurrence: OccurrenceKey,
    pub(crate) origin: Origin,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) fence: FencingToken,
    pub(crate) instance: InstanceId,
    pub(crate) triggered_by: Option<String>,
    pub(crate) params: Option<Value>,
    pub(crate) upstream_results: Option<Value>,
    pub(crate) trace_context: Option<TraceContext>,
    pub(crate) cancellation: CancellationToken,
    /// Set once the body has taken that token.
    pub(crate) token_taken: Arc<AtomicBool>,
    pub(crate) namespace: Option<Arc<str>>,
    pub(crate) state: Arc<StateMap>,
    pub(crate) reporter: Arc<Reporter>,
}

impl JobContext {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The job's id.
    #[must_use]
    pub fn job_id(&self) -> &JobId {
        &self.0.settings.id
    }

    /// The job's settings.
    #[must_use]
    pub fn settings(&self) -> &JobSettings {
        &self.0.settings
    }

    /// The row of this attempt in the history.
    #[must_use]
    pub fn execution_id(&self) -> ExecutionId {
        self.0.execution_id
    }

    /// The key of the occurrence that this is an attempt at.
    #[must_use]
    pub fn occurrence(&self) -> &OccurrenceKey {
        &self.0.occurrence
    }

    /// The same text for every attempt at this occurrence, and for no other: for whatever takes an idempotency key (R7).
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}", self.job_id(), self.0.occurrence)
    }

    /// What caused the execution.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// The number of this attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// How many attempts the occurrence may have.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.0.max_attempts
    }

    /// The nominal instant, in the job's zone (UTC for a job without one).
    #[must_use]
    pub fn scheduled_at(&self) -> DateTime<NamedZone> {
        self.0.scheduled_at.with_timezone(&self.0.settings.zone())
    }

    /// The number that grows with each grant of the job's key, for what this body writes to (R7).
    #[must_use]
    pub fn fencing_token(&self) -> FencingToken {
        self.0.fence
    }

    /// The instance that runs the body.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        self.0.instance
    }

    /// Who asked for a manual run.
    #[must_use]
    pub fn triggered_by(&self) -> Option<&str> {
        self.0.triggered_by.as_deref()
    }

    /// A manual request's parameters, as they came.
    #[must_use]
    pub fn params(&self) -> Option<&Value> {
        self.0.params.as_ref()
    }

    /// What the jobs answered that this one runs after, by their ids (R24); `None` for a run that follows on none, as a
    /// manual one.
    #[must_use]
    pub fn upstream_results(&self) -> Option<&Value> {
        self.0.upstream_results.as_ref()
    }

    /// The trace that a manual request belongs to: the same in each of its attempts, and in what runs after them. What the
    /// body calls continues it with [`TraceContext::headers`].
    #[must_use]
    pub fn trace_context(&self) -> Option<&TraceContext> {
        self.0.trace_context.as_ref()
    }

    /// Where the execution's row is within its store ([`Store::namespace`](crate::store::Store::namespace)), for stores that
    /// guard a user's transaction (R7).
    #[must_use]
    pub fn store_namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// Fires when the body is to stop: a timeout, a cancel request, a lost lease, or a shutdown.
    ///
    /// A body that has taken it, and returns `()` or a text after it has fired, has cut its work short: the execution ends as what
    /// stopped it, `timed_out`, `cancelled` or `failed (lease_lost)`. One that has done all of its work all the same answers an
    /// [`Outcome`](crate::outcome::Outcome) or [`Json`](crate::outcome::Json), which counts as it says.
    #[must_use]
    pub fn cancellation_token(&self) -> &CancellationToken {
        self.0.token_taken.store(true, Ordering::Relaxed);
        &self.0.cancellation
    }

    /// Says how far the body is: `done` of `total`, shown with the execution as a bar.
    ///
    /// As cheap as setting a number: what is said is written about each second, the last of it as the execution ends, and
    /// never waits for the store. More done than there are counts as all; of a total of 0, all is done.
    pub fn progress(&self, done: u64, total: u64) {
        self.0.reporter.progress(Progress::new(done, total));
    }

    /// The service's state of this type, if it was given to the builder.
    #[must_use]
    pub fn state<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.0.state.get()
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job_id", self.job_id())
            .field("execution_id", &self.0.execution_id)
            .field("occurrence", &self.0.occurrence)
            .field("attempt", &self.0.attempt)
            .finish_non_exhaustive()
    }
}
