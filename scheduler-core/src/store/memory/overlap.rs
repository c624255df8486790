//! What happens to an occurrence that meets a holder (R17).

use chrono::{DateTime, Utc};

use super::{job::JobRecord, state::State, take::waits_for_the_schedule};
use crate::{
    identity::{ExecutionId, InstanceId, JobId},
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

    /// Asks the holders of a job's keys to stop where a row waits for the key that may run; answers those that are asked
    /// only now.
    pub(super) fn make_way(&mut self, job_id: &JobId, now: DateTime<Utc>) -> Vec<ExecutionId> {
        let Some(job) = self.jobs.get(job_id) else { return Vec::new() };
        let waits = |queued: &ExecutionId| {
            self.execution(*queued).is_some_and(|row| job.is_scheduled() || !waits_for_the_schedule(row))
        };
        let waiting = job.queued.iter().filter(|(_, queued)| waits(queued));
        let holders: Vec<_> = waiting.filter_map(|(key, _)| job.holders.get(*key)).collect();
        holders.into_iter().filter(|holder| self.stop(*holder, now)).collect()
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
        self.follow_up(holder, now);
        true
    }
}
