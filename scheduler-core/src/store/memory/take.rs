//! Pending rows: which are due, and their start (R2).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    job::JobRecord,
    state::{Start, State},
};
use crate::{
    execution::Execution,
    identity::JobId,
    job::OverlapPolicy,
    occurrence::Origin,
    status::Status,
    store::{DueExecution, DueRequest, Grant, Refusal, TakeOutcome, TakeRequest},
};

/// Whether a row waits while its job is paused or disabled: manual ones and backfilled ones pass.
pub(super) const fn waits_for_the_schedule(row: &Execution) -> bool {
    !matches!(row.origin, Origin::Manual | Origin::Backfill)
}

impl State {
    pub(super) fn due(&self, request: &DueRequest, now: DateTime<Utc>) -> Vec<DueExecution> {
        let is_asked_for =
            |job_id: &&JobId| request.jobs.as_ref().is_none_or(|jobs| jobs.iter().any(|job| job == *job_id));
        let jobs = self.waiting.iter().filter(is_asked_for).filter_map(|job_id| self.jobs.get(job_id));
        let mut due: Vec<_> = jobs.flat_map(|job| self.due_of(job, request, now)).collect();
        due.sort_by_key(|row| (row.scheduled_at, row.id));
        due.truncate(request.limit);
        let due = due.into_iter().map(|row| DueExecution {
            execution_id: row.id,
            job_id: row.job_id.clone(),
            origin: row.origin,
            scheduled_at: row.scheduled_at,
        });
        due.collect()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn next_pending(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let jobs = self.waiting.iter().filter_map(|job_id| self.jobs.get(job_id));
        let rows = jobs.flat_map(|job| &job.pending).filter_map(|(_, id)| self.execution(*id));
        rows.map(|row| row.not_before).filter(|not_before| *not_before > now).min()
    }

    /// The rows of a job that this instance may take now, the oldest of the belated ones and of the others; where its runs
    /// hold no key, as many as there is room for.
    fn due_of(&self, job: &JobRecord, request: &DueRequest, now: DateTime<Utc>) -> Vec<&Execution> {
        let is_due = |row: &&Execution| {
            row.not_before <= now
                && row.for_instance.is_none_or(|only| only == request.instance)
                && (job.is_scheduled() || !waits_for_the_schedule(row))
        };
        let is_held = |row: &Execution| {
            let holders = [job.holders.get(None), job.holders.get(Some(request.instance))];
            holders.into_iter().flatten().any(|holder| holder != row.id)
        };
        let follows = |row: &&Execution| {
            request.after.is_none_or(|after| (row.scheduled_at, row.id) > (after.scheduled_at, after.execution_id))
        };
        let waiting = || job.pending.iter().filter_map(|(_, id)| self.execution(*id));
        let due = || waiting().filter(is_due).filter(|row| !is_held(row));
        let revision = job.current_revision();
        let policy = |name: &str| revision.policies.get(name);
        if policy("overlap").and_then(Value::as_str) == Some(OverlapPolicy::Allow.as_str()) {
            let at_once = policy("catch_up_limit").and_then(Value::as_u64).unwrap_or(1).max(1);
            let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
            let belated = due().filter(follows).filter(|row| row.origin.is_belated()).take(at_once);
            return belated
                .chain(due().filter(follows).filter(|row| !row.origin.is_belated()).take(request.limit))
                .collect();
        }
        let oldest = [due().find(|row| row.origin.is_belated()), due().find(|row| !row.origin.is_belated())];
        oldest.into_iter().flatten().filter(follows).collect()
    }

    /// How many of a job's caught-up and backfilled rows run.
    fn belated(&self, job_id: &JobId) -> usize {
        let running = self.leases.keys().filter_map(|id| self.execution(*id));
        running.filter(|row| row.job_id == *job_id && row.origin.is_belated()).count()
    }

    pub(super) fn take(&mut self, request: &TakeRequest, now: DateTime<Utc>) -> TakeOutcome {
        let grant = match self.running_claim(request.claim_id) {
            Some(grant) if grant.execution_id == request.execution_id => grant,
            _ => {
                if let Err(refusal) = self.may_take(request, now) {
                    return TakeOutcome::Refused(refusal);
                }
                let start = Start {
                    claim_id: request.claim_id,
                    instance: request.instance,
                    for_instance: request.for_instance(),
                    holds_key: request.holds_key,
                    rerun_on_crash: request.rerun_on_crash,
                    lease: request.lease,
                };
                let fence = self.start(request.execution_id, &start, now);
                Grant { execution_id: request.execution_id, fence, started_at: now }
            }
        };
        let execution = self.execution(grant.execution_id).expect("a row that runs is there").clone();
        TakeOutcome::Granted { grant, execution: Box::new(execution) }
    }

    fn may_take(&self, request: &TakeRequest, now: DateTime<Utc>) -> Result<(), Refusal> {
        let row = self.execution(request.execution_id).filter(|row| row.status == Status::Pending);
        let row = row.filter(|row| row.for_instance.is_none_or(|only| only == request.instance));
        let row = row.ok_or(Refusal::NotPending)?;
        let job = self.jobs.get(&row.job_id).ok_or(Refusal::NotPending)?;
        if waits_for_the_schedule(row) && !job.is_scheduled() {
            Err(Refusal::Paused)
        } else if row.not_before > now {
            Err(Refusal::NotDue { remaining: (row.not_before - now).to_std().unwrap_or(Duration::ZERO) })
        } else if request.holds_key && job.holders.get(request.for_instance()).is_some_and(|holder| holder != row.id) {
            Err(Refusal::Held)
        } else if request.at_once.is_some_and(|most| self.belated(&row.job_id) >= most as usize) {
            Err(Refusal::Full)
        } else {
            Ok(())
        }
    }
}
