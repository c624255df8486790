//! The engine: what turns due occurrences into runs.
//!
//! It has a thread and a current-thread runtime of its own (R25), so that a job which blocks the service's workers
//! stops neither agenda nor renewals. Bodies run on the service's runtime.

mod agenda;
mod breaker;
mod capture;
mod claims;
mod dispatch;
mod freed;
mod health;
mod jobs;
mod locks;
mod ours;
mod outcomes;
mod panic;
mod reporter;
mod reports;
mod retry;
mod run;
mod running;
mod server_time;
mod span;
mod starting;
mod supervise;
mod tasks;
mod thread;
mod undecided;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub(crate) use agenda::Due;
use agenda::run_agenda;
pub(crate) use capture::Capture;
use claims::Claims;
use freed::Freed;
pub use health::Health;
pub(crate) use health::{HealthLog, chain};
pub(crate) use jobs::{JobIndex, JobTable};
use locks::Locks;
pub(crate) use ours::Elsewhere;
use outcomes::{Outcomes, write_outcomes};
pub(crate) use reporter::Reporter;
use reports::{Reports, write_reports};
pub(crate) use retry::{Backoff, limited};
use run::GRACE;
pub(crate) use run::{Assignment, margin};
pub(crate) use running::{HeldLock, Running, RunningExecution, Stop};
use server_time::ServerTime;
pub(crate) use span::ContinueTrace;
use starting::Starting;
pub(crate) use tasks::Tasks;
pub(crate) use thread::{EngineParts, EngineThread};
pub(crate) use undecided::{Passed, Undecided};

use crate::{
    clock::Clock,
    context::StateMap,
    duty::heartbeat::Healthy,
    event::Events,
    identity::{ClaimId, InstanceId},
    store::{LostClaim, Store},
};

/// Everything that the engine's tasks share.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) instance: InstanceId,
    /// The service's version, for display.
    pub(crate) version: String,
    pub(crate) clock: Arc<dyn Clock>,
    /// The store's clock.
    pub(crate) time: ServerTime,
    pub(crate) store: Arc<dyn Store>,
    /// Where the rows are within the store (R7).
    namespace: Option<Arc<str>>,
    /// The same store by connections of their own, for what must not wait behind claims: heartbeats and renewals (R25).
    pub(crate) keeper: Arc<dyn Store>,
    /// And again, for what executions say, which takes nothing from either.
    scribe: Arc<dyn Store>,
    pub(crate) locks: Option<Locks>,
    pub(crate) jobs: JobTable,
    pub(crate) running: Running,
    pub(crate) health: Arc<HealthLog>,
    pub(crate) events: Events,
    pub(crate) state: Arc<StateMap>,
    /// What tells a span of the trace that was given, where the service has such.
    continue_trace: Option<ContinueTrace>,
    pub(crate) tasks: Tasks,
    /// Claims that wait for their trip to the store.
    claims: Claims,
    /// Rows that may be taken now, by their jobs.
    pub(crate) freed: Freed,
    /// Outcomes on their way to the store (R9).
    pub(crate) outcomes: Outcomes,
    /// What executions said, on its way to the store.
    reports: Reports,
    /// Which of their lines are kept.
    capture: Capture,
    /// Asks for a look at what waits, before the next one is due.
    pub(crate) look: Arc<Notify>,
    /// Counts outcomes written, for those who wait for one.
    pub(crate) finished: watch::Sender<u64>,
    /// Occurrences that went by and are not known to be decided (R12).
    pub(crate) undecided: Undecided,
    /// Since when heartbeats are healthy (R6).
    pub(crate) healthy: Healthy,
    /// Claims whose reply was lost for good (R8).
    unconfirmed: Mutex<Vec<Unconfirmed>>,
    /// Fires when nothing more may be claimed or taken (R11).
    draining: CancellationToken,
    /// What may still be granted after that.
    starting: Starting,
}

/// A claim that was given up without knowing whether it committed; its body never started.
#[derive(Debug, Clone)]
pub(crate) struct Unconfirmed {
    pub(crate) lost: LostClaim,
    pub(crate) job: JobIndex,
    /// When it was given up, in uptime.
    pub(crate) given_up_at: Duration,
}

impl Engine {
    /// The store's clock, as well as it is known.
    pub(crate) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.time.now(&*self.clock)
    }

    /// Whether claims and takes have ended.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    pub(crate) fn drain(&self) {
        self.draining.cancel();
    }

    /// Sleeps, but not on while the engine drains: what waits to ask again for something to start asks no more (R11).
    pub(crate) async fn rest(&self, time: Duration) {
        tokio::select! {
            biased;
            () = self.draining.cancelled() => {}
            () = self.clock.sleep(time) => {}
        }
    }

    /// Notes claims of which it is not known whether they committed (R8).
    pub(crate) fn give_up(&self, claims: impl IntoIterator<Item = (LostClaim, JobIndex)>) {
        let given_up_at = self.clock.uptime();
        let claims = claims.into_iter().map(|(lost, job)| Unconfirmed { lost, job, given_up_at });
        self.lock_unconfirmed().extend(claims);
    }

    pub(crate) fn unconfirmed(&self) -> Vec<Unconfirmed> {
        self.lock_unconfirmed().clone()
    }

    /// Notes that a claim needs no further look.
    pub(crate) fn confirm(&self, claim_id: ClaimId) {
        self.lock_unconfirmed().retain(|unconfirmed| unconfirmed.lost.claim_id != claim_id);
    }

    fn lock_unconfirmed(&self) -> MutexGuard<'_, Vec<Unconfirmed>> {
        self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
