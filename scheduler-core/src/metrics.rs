//! What is counted and timed, through the `metrics` facade: the table of metrics ([`ALL`]).
//!
//! Names, kinds and labels are an API, which `docs/telemetry.md` tells. Install a recorder before the scheduler starts:
//! what can fail is told of from zero on then. Labels are few: the ids of the service's jobs, and words of this crate.
//!
//! Without the feature `metrics` the same functions do nothing.

#[cfg(feature = "metrics")]
mod record;
#[cfg(not(feature = "metrics"))]
mod silent;
#[cfg(feature = "metrics")]
mod table;

#[cfg(feature = "metrics")]
pub(crate) use record::*;
#[cfg(not(feature = "metrics"))]
pub(crate) use silent::*;
#[cfg(feature = "metrics")]
pub use table::{ALL, Kind, Metric};

use crate::{
    clock::Clock,
    event::Backend,
    identity::JobId,
    lock::LockError,
    store::{ClaimOutcome, StoreError},
};

/// Why a call to a backend came to nothing, as a label.
pub(crate) trait Failure {
    /// The word.
    fn kind(&self) -> &'static str;
}

impl Failure for StoreError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Unknown { .. } => "unknown",
            Self::Rejected { .. } => "rejected",
        }
    }
}

impl Failure for LockError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// A call to a backend, timed by the scheduler's clock.
pub(crate) async fn timed<T, E: Failure>(
    clock: &dyn Clock,
    backend: Backend,
    operation: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    if cfg!(not(feature = "metrics")) {
        return call.await;
    }
    let asked_at = clock.uptime();
    let answer = call.await;
    let error = answer.as_ref().err().map(Failure::kind);
    call_ended(backend, operation, clock.uptime().saturating_sub(asked_at), error);
    answer
}

/// Counts an occurrence that was skipped in place of being claimed.
pub(crate) fn claim_ended(job_id: &JobId, outcome: &ClaimOutcome) {
    if let ClaimOutcome::Skipped { reason, .. } = outcome {
        skipped(job_id, *reason, 1);
    }
}
