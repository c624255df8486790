//! The lock backend's contract: who tries (R15).
//!
//! With a shared store it is a filter in front of the claim and keeps a cursor alone. Without one, its cursor
//! and lease are the claim. "Held by somebody else" is a value; an error means "we do not know".

mod error;
pub mod memory;

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use error::LockError;

use crate::identity::{FencingToken, InstanceId, JobId};

/// A backend that grants a job's key.
#[async_trait]
pub trait LockBackend: Debug + Send + Sync + 'static {
    /// The same backend with connections of its own, made on the caller's runtime as they are needed (R25).
    fn attach(&self) -> Arc<dyn LockBackend>;

    /// Asks whether the backend answers, and warns of settings that weaken it.
    async fn check(&self) -> Result<(), LockError>;

    /// Asks for each key; answers are in the order of the requests, one trip for all of them.
    ///
    /// [`LockMode::Filter`]: an occurrence above the cursor and due moves the cursor and is granted; the same owner
    /// and occurrence again is granted again; one that is not due by the backend's clock leaves the cursor.
    /// [`LockMode::Lease`]: in the same step a lease is taken, if `exclusive` only when none lives; its fence is
    /// higher than every one granted before for the key. The same owner and occurrence again is granted with the
    /// same fence, while the lease lives, which from then on has its whole life before it.
    ///
    /// # Cancel safety
    /// A dropped call may have been granted; repeat it, or let the lease expire.
    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError>;

    /// The newest occurrence of the job that was ever granted; `None` when none was, or it is forgotten.
    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError>;

    /// Extends a lease from now, if it is still its owner's; `false` when it is lost.
    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError>;

    /// Gives a lease up, if it is still its owner's; `false` when it was lost. The cursor stays.
    async fn release(&self, lease: &LockLease) -> Result<bool, LockError>;
}

/// How long a cursor lives at least after its last move, and at most an hour longer; losing it costs trips to a shared
/// store, nothing more.
pub const CURSOR_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A request for a job's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquireRequest {
    /// The job.
    pub job_id: JobId,
    /// Who asks.
    pub owner: InstanceId,
    /// The occurrence, which moves the cursor; `None` for a run that is not the schedule's, which does not.
    pub occurrence: Option<LockOccurrence>,
    /// What is asked for.
    pub mode: LockMode,
}

/// A schedule's occurrence, as the filter sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockOccurrence {
    /// The nominal instant: the cursor's new value.
    pub scheduled_at: DateTime<Utc>,
    /// The earliest start: `scheduled_at` and jitter. Not due before it, by the backend's clock.
    pub not_before: DateTime<Utc>,
}

/// What is asked of the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockMode {
    /// The cursor alone: a shared store decides.
    Filter,
    /// The cursor and a lease: the store is not shared.
    Lease {
        /// How long the lease lives unless renewed.
        ttl: Duration,
        /// Whether one lease excludes another: every policy but `overlap = allow`. If not, there is no lease, the
        /// cursor alone, and a fence.
        exclusive: bool,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acquired {
    /// The caller goes on: to the store, or with the lease.
    Granted(Option<LockLease>),
    /// The backend's clock has not reached `not_before`.
    NotDue {
        /// How long until it will have.
        remaining: Duration,
    },
    /// The cursor stands at or above the occurrence.
    AlreadyClaimed,
    /// Another lease on the key lives. The cursor did not move.
    Held,
}

/// A lease on a job's key, where the lock backend is the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a lease that is not released blocks its job until it expires"]
pub struct LockLease {
    /// The job.
    pub job_id: JobId,
    /// Who holds it.
    pub owner: InstanceId,
    /// Its fence.
    pub fence: FencingToken,
    /// Whether the key is held; without, there is only the fence to know.
    pub exclusive: bool,
}
