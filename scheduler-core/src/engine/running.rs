//! The executions that this instance runs, or whose outcome it has not written yet.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::JobIndex;
use crate::{
    identity::{ExecutionId, FencingToken},
    lock::LockLease,
};

/// Why a body is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Timeout,
    ByRequest,
    LeaseLost,
    Shutdown,
}

/// What the engine and the supervised body share.
#[derive(Debug)]
pub(crate) struct RunControl {
    /// Tells the body to stop.
    pub(crate) cancellation: CancellationToken,
    /// Drops the body at its next await.
    pub(crate) abort: CancellationToken,
    /// Why it was told, the first reason.
    stop: Mutex<Option<Stop>>,
    /// The uptime in milliseconds at which the lease may expire elsewhere; `u64::MAX` for a body that ignores it.
    lease_end: AtomicU64,
}

impl RunControl {
    pub(crate) fn new(lease_end: Option<Duration>) -> Self {
        Self {
            cancellation: CancellationToken::new(),
            abort: CancellationToken::new(),
            stop: Mutex::new(None),
            lease_end: AtomicU64::new(lease_end.map_or(u64::MAX, millis)),
        }
    }

    /// Tells the body to stop, and notes why. `false` when it was told before.
    pub(crate) fn stop(&self, why: Stop) -> bool {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let first = stop.is_none();
        stop.get_or_insert(why);
        drop(stop);
        self.cancellation.cancel();
        first
    }

    pub(crate) fn stopped(&self) -> Option<Stop> {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the lease may have expired elsewhere.
    pub(crate) fn is_lease_over(&self, uptime: Duration) -> bool {
        millis(uptime) >= self.lease_end.load(Ordering::Acquire)
    }

    /// How much of the lease is left.
    pub(crate) fn lease_left(&self, uptime: Duration) -> Duration {
        Duration::from_millis(self.lease_end.load(Ordering::Acquire).saturating_sub(millis(uptime)))
    }

    fn extend(&self, lease_end: Duration) {
        // A body that ignores its lease stays without an end.
        if self.lease_end.load(Ordering::Relaxed) != u64::MAX {
            self.lease_end.store(millis(lease_end), Ordering::Release);
        }
    }
}

/// An execution of this instance.
#[derive(Debug, Clone)]
pub(crate) struct RunningExecution {
    pub(crate) job: JobIndex,
    pub(crate) execution_id: ExecutionId,
    pub(crate) fence: FencingToken,
    pub(crate) lease: Duration,
    pub(crate) lock: Option<LockLease>,
    pub(crate) control: Arc<RunControl>,
    /// Whether the body has ended, and its outcome is on its way to the store.
    pub(crate) ended: bool,
}

/// The table of running executions.
#[derive(Debug, Default)]
pub(crate) struct Running {
    table: Mutex<BTreeMap<ExecutionId, RunningExecution>>,
    /// The lock backend's leases that are held on for a retry that waits (R15), by its row.
    kept: Mutex<BTreeMap<ExecutionId, (LockLease, Duration)>>,
    /// Told when there is a lease to renew.
    joined: Notify,
    /// Told when an execution leaves the table.
    pub(crate) left: Notify,
}

impl Running {
    pub(crate) fn insert(&self, execution: RunningExecution) {
        self.lock().insert(execution.execution_id, execution);
        self.joined.notify_waiters();
    }

    /// Holds a lease of the lock backend on for the retry that waits in this row.
    pub(crate) fn keep(&self, next: ExecutionId, lock: LockLease, lease: Duration) {
        self.lock_kept().insert(next, (lock, lease));
        self.joined.notify_waiters();
    }

    pub(crate) fn take_kept(&self, next: ExecutionId) -> Option<LockLease> {
        self.lock_kept().remove(&next).map(|(lock, _)| lock)
    }

    pub(crate) fn kept(&self) -> Vec<(LockLease, Duration)> {
        self.lock_kept().values().cloned().collect()
    }

    /// Waits until there is a lease to renew.
    pub(crate) async fn wait_for_any(&self) {
        loop {
            let joined = self.joined.notified();
            tokio::pin!(joined);
            // Registered before the tables are read, so that no change between the two is missed.
            joined.as_mut().enable();
            if !self.lock().is_empty() || !self.lock_kept().is_empty() {
                return;
            }
            joined.await;
        }
    }

    pub(crate) fn remove(&self, id: ExecutionId) -> Option<RunningExecution> {
        let removed = self.lock().remove(&id);
        self.left.notify_waiters();
        removed
    }

    /// Notes that a body has ended.
    pub(crate) fn end(&self, id: ExecutionId) {
        if let Some(execution) = self.lock().get_mut(&id) {
            execution.ended = true;
        }
        self.left.notify_waiters();
    }

    /// Notes a renewal that was asked for at this uptime.
    pub(crate) fn renewed(&self, id: ExecutionId, fence: FencingToken, asked_at: Duration) {
        if let Some(execution) = self.lock().get(&id).filter(|execution| execution.fence == fence) {
            execution.control.extend(asked_at + execution.lease);
        }
    }

    pub(crate) fn all(&self) -> Vec<RunningExecution> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn get(&self, id: ExecutionId) -> Option<RunningExecution> {
        self.lock().get(&id).cloned()
    }

    /// Whether this instance runs the job, or waits to write how a run of it ended.
    pub(crate) fn holds(&self, job: JobIndex) -> bool {
        self.lock().values().any(|execution| execution.job == job)
    }

    /// How many executions there are, and how many of their bodies have not ended.
    pub(crate) fn count(&self) -> (usize, usize) {
        let table = self.lock();
        (table.len(), table.values().filter(|execution| !execution.ended).count())
    }

    fn lock_kept(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, (LockLease, Duration)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, RunningExecution>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(uptime: Duration) -> u64 {
    u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
}
