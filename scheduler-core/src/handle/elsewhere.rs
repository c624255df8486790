//! What other instances have decided, where the store is not shared (R15).

use chrono::{DateTime, TimeDelta, Utc};

use super::SchedulerHandle;
use crate::{
    identity::JobId,
    lock::{AcquireRequest, Acquired, LockError, LockMode, LockOccurrence},
};

impl SchedulerHandle {
    /// Up to where the job's occurrences are decided by others; `None` where the store knows all of them.
    ///
    /// What lies above is this instance's from now on: the cursor is moved over it before anything is written.
    pub(super) async fn decided_elsewhere(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        let Some(locks) = &self.0.locks else { return Ok(None) };
        let cursor = locks.cursor(job_id).await?;
        let due = self.0.clock.now() + TimeDelta::milliseconds(1);
        let trigger = self.definition(job_id).map(|job| &job.settings().trigger);
        let last = trigger.and_then(|trigger| trigger.prev_before(due));
        let Some(last) = last.filter(|last| cursor.is_none_or(|cursor| cursor < *last)) else { return Ok(cursor) };
        let request = AcquireRequest {
            job_id: job_id.clone(),
            owner: self.0.instance,
            occurrence: Some(LockOccurrence { scheduled_at: last, not_before: last }),
            mode: LockMode::Filter,
        };
        let granted = matches!(locks.acquire(&[request]).await?.pop(), Some(Acquired::Granted(_)));
        Ok(if granted { cursor } else { Some(last) })
    }
}
