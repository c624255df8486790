//! What a scheduler tells of as it happens, for alerts, metrics and logs.
//!
//! Events are this instance's own view and are told once, in this process; the store's rows are what counts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

use crate::{
    identity::{ExecutionId, InstanceId, JobId},
    metrics,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
};

/// How many events a receiver may be behind; a slower one is told how many it has lost.
const BEHIND: usize = 1_024;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A body was given to the service's runtime.
    Started {
        /// The job.
        job_id: JobId,
        /// The attempt's row.
        execution_id: ExecutionId,
        /// The occurrence.
        occurrence: OccurrenceKey,
        /// Which attempt.
        attempt: u32,
        /// How long after its nominal instant and jitter, by the store's clock.
        lag: Duration,
    },
    /// An outcome was written.
    Finished {
        /// The job.
        job_id: JobId,
        /// The attempt's row.
        execution_id: ExecutionId,
        /// The outcome.
        status: Status,
        /// Why, where the status alone does not say.
        reason: Option<Reason>,
        /// The attempt that follows, if one does.
        next: Option<ExecutionId>,
    },
    /// Occurrences were recorded as missed.
    Missed {
        /// The job.
        job_id: JobId,
        /// How many.
        count: u64,
        /// Up to which instant all of the job's occurrences are decided now.
        up_to: DateTime<Utc>,
    },
    /// An occurrence went by and has no row.
    Overdue {
        /// The job.
        job_id: JobId,
        /// The first such occurrence.
        scheduled_at: DateTime<Utc>,
    },
    /// A body was told to stop, was given its grace time, and runs on (R18).
    Stuck {
        /// The job.
        job_id: JobId,
        /// The attempt's row.
        execution_id: ExecutionId,
        /// Why it was told.
        reason: Reason,
    },
    /// Another instance's run was found abandoned (R6).
    Abandoned {
        /// The job.
        job_id: JobId,
        /// The attempt's row.
        execution_id: ExecutionId,
        /// The instance that was lost.
        instance: Option<InstanceId>,
        /// The attempt that follows, if one does.
        next: Option<ExecutionId>,
    },
    /// Another instance has not been heard of for longer than a lease, and had not left.
    InstanceGone {
        /// The instance.
        instance: InstanceId,
        /// When it was last heard of, by the store's clock.
        seen_at: DateTime<Utc>,
    },
    /// The scheduler's loop stood still: the machine slept, or the thread had no processor.
    Stalled {
        /// For how long.
        duration: Duration,
    },
    /// A backend does not answer.
    BackendAway {
        /// Which.
        backend: Backend,
    },
    /// A backend answers again.
    BackendBack {
        /// Which.
        backend: Backend,
    },
}

/// A backend, as events name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// The store.
    Store,
    /// The lock backend.
    Locks,
}

/// Where events are sent, whether somebody listens or not.
#[derive(Debug, Clone)]
pub(crate) struct Events(broadcast::Sender<Event>);

impl Events {
    pub(crate) fn tell(&self, event: Event) {
        metrics::told(&event);
        // An error says that nobody listens.
        let _ = self.0.send(event);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}
