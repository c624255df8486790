//! The executions that this instance runs, or whose outcome it has not written yet.

use std::{
    collections::{BTreeMap, HashSet},
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

/// A lease of the lock backend, and the uptime of the request from which it counts (R5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldLock {
    pub(crate) lease: LockLease,
    pub(crate) asked_at: Duration,
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
    /// The uptime in milliseconds at which the store's lease may expire elsewhere; `u64::MAX` for a body that ignores it.
    lease_end: AtomicU64,
    /// The same of the lock backend's lease; `u64::MAX` where there is none.
    lock_end: AtomicU64,
}

impl RunControl {
    pub(crate) fn new(lease_end: Option<Duration>, lock_end: Option<Duration>) -> Self {
        Self {
            cancellation: CancellationToken::new(),
            abort: CancellationToken::new(),
            stop: Mutex::new(None),
            lease_end: AtomicU64::new(lease_end.map_or(u64::MAX, millis)),
            lock_end: AtomicU64::new(lock_end.map_or(u64::MAX, millis)),
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

    /// Whether a lease may have expired elsewhere.
    pub(crate) fn is_lease_over(&self, uptime: Duration) -> bool {
        millis(uptime) >= self.end()
    }

    /// How much is left of the lease that ends first.
    pub(crate) fn lease_left(&self, uptime: Duration) -> Duration {
        Duration::from_millis(self.end().saturating_sub(millis(uptime)))
    }

    fn end(&self) -> u64 {
        self.lease_end.load(Ordering::Acquire).min(self.lock_end.load(Ordering::Acquire))
    }
}

/// Moves a lease's end on; a body that ignores it stays without one.
fn extend(end: &AtomicU64, to: Duration) {
    if end.load(Ordering::Relaxed) != u64::MAX {
        end.store(millis(to), Ordering::Release);
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
    /// Whether its end may bring rows of other jobs: a reason to look at all that waits.
    pub(crate) brings_others: bool,
    /// Whether others of its job may wait for this run to end: a reason to look at what waits of it.
    pub(crate) is_waited_for: bool,
    pub(crate) control: Arc<RunControl>,
    /// Whether the body has ended, and its outcome is on its way to the store.
    pub(crate) ended: bool,
}

/// A lease of the lock backend that is held on while a retry waits (R15).
#[derive(Debug, Clone)]
pub(crate) struct KeptLock {
    /// The retry's row.
    pub(crate) execution_id: ExecutionId,
    pub(crate) job: JobIndex,
    pub(crate) lock: LockLease,
    pub(crate) lease: Duration,
}

/// The table of running executions.
#[derive(Debug, Default)]
pub(crate) struct Running {
    table: Mutex<BTreeMap<ExecutionId, RunningExecution>>,
    kept: Mutex<BTreeMap<ExecutionId, KeptLock>>,
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

    /// Holds a lease of the lock backend on for the retry that waits in its row.
    pub(crate) fn keep(&self, kept: KeptLock) {
        self.lock_kept().insert(kept.execution_id, kept);
        self.joined.notify_waiters();
    }

    /// Takes a kept lease out: it is used now, given up, or lost.
    pub(crate) fn take_kept(&self, next: ExecutionId) -> Option<KeptLock> {
        self.lock_kept().remove(&next)
    }

    pub(crate) fn kept(&self) -> Vec<KeptLock> {
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

    /// Notes a renewal by the store that was asked for at this uptime.
    pub(crate) fn renewed(&self, id: ExecutionId, fence: FencingToken, asked_at: Duration) {
        if let Some(execution) = self.lock().get(&id).filter(|execution| execution.fence == fence) {
            extend(&execution.control.lease_end, asked_at + execution.lease);
        }
    }

    /// Notes a renewal by the lock backend that was asked for at this uptime.
    pub(crate) fn lock_renewed(&self, id: ExecutionId, asked_at: Duration) {
        if let Some(execution) = self.lock().get(&id) {
            extend(&execution.control.lock_end, asked_at + execution.lease);
        }
    }

    pub(crate) fn all(&self) -> Vec<RunningExecution> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn get(&self, id: ExecutionId) -> Option<RunningExecution> {
        self.lock().get(&id).cloned()
    }

    /// Whether this instance holds the job's key: for a run, for an outcome that is not written yet, or for a retry.
    pub(crate) fn holds(&self, job: JobIndex) -> bool {
        self.lock().values().any(|execution| execution.job == job)
            || self.lock_kept().values().any(|kept| kept.job == job)
    }

    /// The jobs of which there are executions here.
    pub(crate) fn jobs(&self) -> HashSet<JobIndex> {
        self.lock().values().map(|execution| execution.job).collect()
    }

    /// How many executions there are, and how many of their bodies have not ended.
    pub(crate) fn count(&self) -> (usize, usize) {
        let table = self.lock();
        (table.len(), table.values().filter(|execution| !execution.ended).count())
    }

    fn lock_kept(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, KeptLock>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, RunningExecution>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(uptime: Duration) -> u64 {
    u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
}
