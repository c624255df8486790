//! What happens to an occurrence that meets a holder (R17).

use chrono::{DateTime, Utc};

use super::{state::State, take::waits_for_the_schedule};
use crate::{
    identity::{ExecutionId, JobId},
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
        overlap: OverlapPolicy,
        scheduled_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Arrival {
        let Some(job) = self.jobs.get(job_id).filter(|job| overlap != OverlapPolicy::Allow && job.is_held()) else {
            return Arrival::Runs;
        };
        let queued = job.queued;
        match overlap {
            OverlapPolicy::QueueOne if queued.is_none() => Arrival::Queues,
            OverlapPolicy::QueueOne => Arrival::Skips(Reason::QueueFull),
            OverlapPolicy::CancelRunning => {
                if let Some(holder) = job.holder {
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

    /// Asks a job's holder to stop where a row waits for its key that may run; answers it if it is asked only now.
    pub(super) fn make_way(&mut self, job_id: &JobId, now: DateTime<Utc>) -> Option<ExecutionId> {
        let job = self.jobs.get(job_id)?;
        let (holder, queued) = (job.holder?, self.execution(job.queued?)?);
        let may_run = job.is_scheduled() || !waits_for_the_schedule(queued);
        (may_run && self.stop(holder, now)).then_some(holder)
    }

    /// Asks a holder to stop; one that only waits has stopped at once. `false` when it was asked before.
    fn stop(&mut self, holder: ExecutionId, now: DateTime<Utc>) -> bool {
        if let Some(lease) = self.leases.get_mut(&holder) {
            return !std::mem::replace(&mut lease.cancel_requested, true);
        }
        self.change(holder, |row| {
            row.status = Status::Cancelled;
            row.reason = Some(Reason::Superseded);
            row.holds_key = false;
            row.finished_at = Some(now);
        });
        true
    }
}
