//! Manual requests (R19).

use chrono::{DateTime, Utc};

use super::{overlap::Arrival, state::State};
use crate::{
    execution::Execution,
    job::OverlapPolicy,
    occurrence::Origin,
    status::Status,
    store::{ManualOutcome, ManualRequest},
};

impl State {
    pub(super) fn request(&mut self, request: &ManualRequest, now: DateTime<Utc>) -> ManualOutcome {
        let Some(job) = self.jobs.get(&request.job_id) else { return ManualOutcome::UnknownJob };
        if let Some(outcome) = self.repeated(request) {
            return outcome;
        }
        let is_skipping = request.overlap == OverlapPolicy::Skip;
        if let Some(holder) = job.holder(None).filter(|_| is_skipping) {
            return ManualOutcome::AlreadyRunning { execution_id: Some(holder) };
        }
        let arrival = self.arrive(&request.job_id, None, request.overlap, now, now);
        let mut row = self.draft(&request.job_id, &request.occurrence, Origin::Manual, now, now);
        row.max_attempts = request.max_attempts;
        row.triggered_by = request.actor.as_ref().map(|actor| actor.who.clone());
        row.params.clone_from(&request.params);
        row.trace_context.clone_from(&request.trace_context);
        row.holds_key = is_skipping;
        match arrival {
            // Under `skip` it holds the key from now on; elsewhere it waits its turn, before what the schedule brings.
            Arrival::Runs => row.queued = !is_skipping && request.overlap != OverlapPolicy::Allow,
            Arrival::Queues => row.queued = true,
            Arrival::Skips(reason) => {
                row.status = Status::Skipped;
                row.reason = Some(reason);
            }
        }
        let accepted = Box::new(row.clone());
        if let Some(record) = request.audit(&row) {
            self.audit.append(record, now);
        }
        self.insert(row, request.request_hash.as_deref());
        ManualOutcome::Accepted(accepted)
    }

    /// The answer to a request whose key is known.
    fn repeated(&self, request: &ManualRequest) -> Option<ManualOutcome> {
        let first = self.attempts(&request.job_id, &request.occurrence).first()?;
        let row = self.rows.get(first)?;
        let is_same = row.request_hash.as_deref() == request.request_hash.as_deref();
        let repeated = |row: &Execution| ManualOutcome::Repeated(Box::new(row.clone()));
        Some(if is_same { repeated(&row.execution) } else { ManualOutcome::IdempotencyConflict })
    }
}
