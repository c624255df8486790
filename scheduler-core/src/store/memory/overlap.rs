//! What happens to an occurrence that meets a holder (R17).

use chrono::{DateTime, Utc};

use super::{job::JobRecord, state::State};
use crate::{
    identity::{InstanceId, JobId},
    job::OverlapPolicy,
    status::{Reason, Status},
};

/// What an arriving occurrence does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The key is free, or there is none.
    Runs,
    /// It waits as the one queued row.
    Queues,
    /// It never runs.
    Skips(Reason),
}

impl State {
    /// What an occurrence does under its policy; the holder and the queued row make way where the policy says so.
    pub(super) fn arrive(
        &mut self,
        job_id: &JobId,
        key: Option<InstanceId>,
        overlap: OverlapPolicy,
        scheduled_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Arrival {
        let is_held = |job: &&JobRecord| overlap != OverlapPolicy::Allow && job.holder(key).is_some();
        let Some(job) = self.jobs.get(job_id).filter(is_held) else { return Arrival::Runs };
        let queued = job.queued.get(key);
        match overlap {
            OverlapPolicy::QueueOne if queued.is_none() => Arrival::Queues,
            OverlapPolicy::QueueOne => Arrival::Skips(Reason::QueueFull),
            OverlapPolicy::CancelRunning => {
                if let Some(holder) = job.holders.get(key) {
                    self.stop(holder, now);
                }
                let Some(queued) = queued else { return Arrival::Queues };
                if self.execution(queued).is_some_and(|queued| queued.scheduled_at >= scheduled_at) {
                    return Arrival::Skips(Reason::Superseded);
                }
                self.change(queued, |row| {
                    row.status = Status::Skipped;
                    row.reason = Some(Reason::Superseded);
                    row.queued = false;
                });
                Arrival::Queues
            }
            OverlapPolicy::Skip | OverlapPolicy::Allow => Arrival::Skips(Reason::Overlap),
        }
    }

    /// Asks a holder to stop; one that only waits has stopped at once.
    fn stop(&mut self, holder: crate::identity::ExecutionId, now: DateTime<Utc>) {
        if let Some(lease) = self.leases.get_mut(&holder) {
            lease.cancel_requested = true;
            return;
        }
        self.change(holder, |row| {
            row.status = Status::Cancelled;
            row.reason = Some(Reason::Superseded);
            row.holds_key = false;
            row.finished_at = Some(now);
        });
        self.follow_up(holder, now);
    }
}
