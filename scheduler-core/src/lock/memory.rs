//! The lock backend in this process's memory.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{AcquireRequest, Acquired, CURSOR_LIFE, LockBackend, LockError, LockLease, LockMode, LockOccurrence};
use crate::{
    clock::{Clock, SystemClock},
    identity::{FencingToken, InstanceId, JobId},
};

/// Keys in this process's memory: for tests, and for several engines in one process. Clones share the keys.
#[derive(Debug, Clone)]
pub struct MemoryLocks {
    keys: Arc<Mutex<HashMap<JobId, Key>>>,
    clock: Arc<dyn Clock>,
}

/// A job's key.
#[derive(Debug, Default)]
struct Key {
    cursor: Option<Cursor>,
    lease: Option<Lease>,
    /// The last fence granted; it outlives cursor and lease.
    fence: i64,
}

#[derive(Debug, Clone, Copy)]
struct Cursor {
    scheduled_at: DateTime<Utc>,
    owner: InstanceId,
    fence: FencingToken,
    moved_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    owner: InstanceId,
    occurrence: Option<DateTime<Utc>>,
    fence: FencingToken,
    expires_at: DateTime<Utc>,
}

impl MemoryLocks {
    /// No key is held, and the clock is the machine's.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: Arc::default(), clock: Arc::new(SystemClock) }
    }

    /// The same keys, by this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Forgets every cursor and lease, as a lock server that was emptied; fences go on growing.
    #[cfg(any(test, feature = "testing"))]
    pub fn forget(&self) {
        for key in self.keys().values_mut() {
            (key.cursor, key.lease) = (None, None);
        }
    }

    /// Ends the lease on a job's key, whoever holds it, as an operator does who deletes it.
    #[cfg(any(test, feature = "testing"))]
    pub fn end_lease(&self, job: &JobId) {
        if let Some(key) = self.keys().get_mut(job) {
            key.lease = None;
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<JobId, Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLocks {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl LockBackend for MemoryLocks {
    fn attach(&self) -> Arc<dyn LockBackend> {
        Arc::new(self.clone())
    }

    async fn check(&self) -> Result<(), LockError> {
        Ok(())
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        let mut keys = self.keys();
        let now = self.clock.now();
        let answer = |request: &AcquireRequest| keys.entry(request.job_id.clone()).or_default().acquire(request, now);
        Ok(requests.iter().map(answer).collect())
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        let now = self.clock.now();
        Ok(self.keys().get(job_id).and_then(|key| key.cursor(now)).map(|cursor| cursor.scheduled_at))
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<bool, LockError> {
        let now = self.clock.now();
        let mut keys = self.keys();
        if !lease.exclusive {
            return Ok(true);
        }
        let Some(held) = keys.get_mut(&lease.job_id).and_then(|key| key.lease_of(lease, now)) else { return Ok(false) };
        held.expires_at = now + ttl;
        Ok(true)
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        let now = self.clock.now();
        let mut keys = self.keys();
        if !lease.exclusive {
            return Ok(true);
        }
        let Some(key) = keys.get_mut(&lease.job_id) else { return Ok(false) };
        let is_held = key.lease_of(lease, now).is_some();
        if is_held {
            key.lease = None;
        }
        Ok(is_held)
    }
}

impl Key {
    fn acquire(&mut self, request: &AcquireRequest, now: DateTime<Utc>) -> Acquired {
        if let Some(occurrence) = request.occurrence
            && let Some(answer) = self.answer_by_cursor(request, occurrence, now)
        {
            return answer;
        }
        let LockMode::Lease { ttl, exclusive } = request.mode else {
            self.move_cursor(request, now);
            return Acquired::Granted(None);
        };
        if exclusive && self.lease(now).is_some() {
            return Acquired::Held;
        }
        self.fence += 1;
        self.move_cursor(request, now);
        let fence = FencingToken(self.fence);
        if exclusive {
            let occurrence = request.occurrence.map(|occurrence| occurrence.scheduled_at);
            self.lease = Some(Lease { owner: request.owner, occurrence, fence, expires_at: now + ttl });
        }
        Acquired::Granted(Some(LockLease { job_id: request.job_id.clone(), owner: request.owner, fence, exclusive }))
    }

    /// The answer to an occurrence that the cursor or the clock decides; `None` where the cursor may move.
    fn answer_by_cursor(
        &mut self,
        request: &AcquireRequest,
        occurrence: LockOccurrence,
        now: DateTime<Utc>,
    ) -> Option<Acquired> {
        let cursor = self.cursor(now).filter(|cursor| cursor.scheduled_at >= occurrence.scheduled_at);
        let is_repetition = cursor
            .is_some_and(|cursor| cursor.scheduled_at == occurrence.scheduled_at && cursor.owner == request.owner);
        if is_repetition && let Some(answer) = self.repeat(request, now) {
            return Some(answer);
        }
        if let Some(remaining) = (occurrence.not_before - now).to_std().ok().filter(|left| !left.is_zero()) {
            return Some(Acquired::NotDue { remaining });
        }
        cursor.map(|_| Acquired::AlreadyClaimed)
    }

    /// The same owner and occurrence again: granted as before, from now on; `None` where its lease has ended.
    fn repeat(&mut self, request: &AcquireRequest, now: DateTime<Utc>) -> Option<Acquired> {
        let cursor = self.cursor(now)?;
        let fence = match request.mode {
            LockMode::Filter => return Some(Acquired::Granted(None)),
            LockMode::Lease { exclusive: false, .. } => cursor.fence,
            LockMode::Lease { ttl, exclusive: true } => {
                let lease = self.lease.as_mut().filter(|lease| now < lease.expires_at)?;
                if lease.owner != request.owner || lease.occurrence != Some(cursor.scheduled_at) {
                    return None;
                }
                lease.expires_at = now + ttl;
                lease.fence
            }
        };
        let exclusive = matches!(request.mode, LockMode::Lease { exclusive: true, .. });
        Some(Acquired::Granted(Some(LockLease {
            job_id: request.job_id.clone(),
            owner: request.owner,
            fence,
            exclusive,
        })))
    }

    fn move_cursor(&mut self, request: &AcquireRequest, now: DateTime<Utc>) {
        if let Some(LockOccurrence { scheduled_at, .. }) = request.occurrence {
            let fence = FencingToken(self.fence);
            self.cursor = Some(Cursor { scheduled_at, owner: request.owner, fence, moved_at: now });
        }
    }

    fn cursor(&self, now: DateTime<Utc>) -> Option<Cursor> {
        self.cursor.filter(|cursor| now < cursor.moved_at + CURSOR_LIFE)
    }

    fn lease(&self, now: DateTime<Utc>) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| now < lease.expires_at)
    }

    /// The living lease, if it is the one that the caller was granted.
    fn lease_of(&mut self, granted: &LockLease, now: DateTime<Utc>) -> Option<&mut Lease> {
        self.lease
            .as_mut()
            .filter(|lease| now < lease.expires_at && lease.owner == granted.owner && lease.fence == granted.fence)
    }
}
