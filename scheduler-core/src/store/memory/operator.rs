//! Stopping an execution, and skipping an occurrence ahead of its time.

use chrono::{DateTime, Utc};

use super::{finish::end_now, state::State};
use crate::{
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{CancelOutcome, CancelRequest, SkipOutcome, SkipRequest},
};

impl State {
    pub(super) fn cancel(&mut self, request: &CancelRequest, now: DateTime<Utc>) -> CancelOutcome {
        let id = request.execution_id;
        let Some(row) = self.execution(id) else { return CancelOutcome::Unknown };
        let (status, job_id) = (row.status, row.job_id.clone());
        match status {
            Status::Running => {
                if let Some(lease) = self.leases.get_mut(&id) {
                    lease.cancel_requested = true;
                }
                self.audit.append(request.audit(&job_id, true), now);
                CancelOutcome::Asked
            }
            Status::Pending => {
                self.change(id, |row| {
                    row.status = Status::Cancelled;
                    row.reason = Some(Reason::ByRequest);
                    row.message.clone_from(&request.actor.reason);
                    row.queued = false;
                    end_now(row, now);
                });
                self.follow_up(id, now);
                self.audit.append(request.audit(&job_id, false), now);
                CancelOutcome::Cancelled(Box::new(self.execution(id).expect("it was changed").clone()))
            }
            ended => CancelOutcome::Ended(ended),
        }
    }

    pub(super) fn skip(&mut self, request: &SkipRequest, now: DateTime<Utc>) -> SkipOutcome {
        if !self.jobs.contains_key(&request.job_id) {
            return SkipOutcome::UnknownJob;
        }
        let key = OccurrenceKey::scheduled(request.scheduled_at);
        if let Some(newest) = self.newest_attempt(&request.job_id, &key) {
            return SkipOutcome::AlreadyDecided(Box::new(newest.clone()));
        }
        if request.scheduled_at <= now {
            return SkipOutcome::Due;
        }
        let mut row = self.draft(&request.job_id, &key, Origin::Schedule, request.scheduled_at, now);
        row.status = Status::Skipped;
        row.reason = Some(Reason::ByRequest);
        row.message.clone_from(&request.actor.reason);
        row.triggered_by = Some(request.actor.who.clone());
        row.finished_at = Some(now);
        let skipped = Box::new(row.clone());
        self.audit.append(request.audit(&row), now);
        self.insert(row, None);
        SkipOutcome::Skipped(skipped)
    }
}
