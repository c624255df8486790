//! Claims of first attempts (R1, R8).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    overlap::Arrival,
    state::{Start, State},
};
use crate::{
    execution::Execution,
    identity::{ClaimId, ExecutionId},
    job::OverlapPolicy,
    occurrence::Origin,
    status::Status,
    store::{Claim, ClaimOutcome, ClaimRecord, EARLY_TOLERANCE, Grant, LostClaim, Refusal},
};

impl State {
    pub(super) fn claim(&mut self, claim: &Claim, now: DateTime<Utc>) -> ClaimOutcome {
        if let Some(grant) = self.running_claim(claim.claim_id) {
            return ClaimOutcome::Granted(grant);
        }
        if let Err(refusal) = self.may_claim(claim, now) {
            return ClaimOutcome::Refused(refusal);
        }
        // Whoever holds the key now may be gone at the instant.
        let is_held = claim.overlap != OverlapPolicy::Allow
            && self.jobs.get(&claim.job_id).is_some_and(|job| job.holder(claim.for_instance()).is_some());
        if let Some(remaining) = (claim.not_before - now).to_std().ok().filter(|wait| is_held && !wait.is_zero()) {
            return ClaimOutcome::Refused(Refusal::NotDue { remaining });
        }
        match self.arrive(&claim.job_id, claim.for_instance(), claim.overlap, claim.scheduled_at, now) {
            Arrival::Runs => {
                let id = self.insert_claimed(claim, now, |_| {});
                let start = Start {
                    claim_id: claim.claim_id,
                    instance: claim.instance,
                    for_instance: claim.for_instance(),
                    holds_key: claim.overlap != OverlapPolicy::Allow,
                    rerun_on_crash: claim.rerun_on_crash,
                    lease: claim.lease,
                };
                let fence = self.start(id, &start, now);
                ClaimOutcome::Granted(Grant { execution_id: id, fence, started_at: now.max(claim.not_before) })
            }
            Arrival::Queues => {
                let execution_id = self.insert_claimed(claim, now, |row| row.queued = true);
                ClaimOutcome::Queued { execution_id }
            }
            Arrival::Skips(reason) => {
                let execution_id = self.insert_claimed(claim, now, |row| {
                    row.status = Status::Skipped;
                    row.reason = Some(reason);
                });
                ClaimOutcome::Skipped { execution_id, reason }
            }
        }
    }

    pub(super) fn find_claim(&self, lost: &LostClaim, now: DateTime<Utc>) -> Option<ClaimRecord> {
        let row = self.execution(*self.claims.get(&lost.claim_id)?)?;
        let lease = self.leases.get(&row.id);
        let lease_left = lease.and_then(|lease| (lease.expires_at - now).to_std().ok()).unwrap_or(Duration::ZERO);
        Some(ClaimRecord { grant: grant(row)?, status: row.status, lease_left })
    }

    /// The grant that a claim or take has had, while its row runs: a run that is over is not given out again.
    pub(super) fn running_claim(&self, claim_id: ClaimId) -> Option<Grant> {
        let row = self.execution(*self.claims.get(&claim_id)?)?;
        (row.status == Status::Running).then(|| grant(row)).flatten()
    }

    fn may_claim(&self, claim: &Claim, now: DateTime<Utc>) -> Result<(), Refusal> {
        let job = self.jobs.get(&claim.job_id).ok_or(Refusal::Superseded)?;
        let mut rows = job.attempts.get(&claim.occurrence).into_iter().flatten().filter_map(|id| self.execution(*id));
        let has_row = rows.any(|row| row.missed_from.is_none()) || job.had_row(&claim.occurrence, claim.scheduled_at);
        if has_row {
            Err(Refusal::AlreadyDecided)
        } else if job.has_passed(&claim.occurrence, claim.scheduled_at) {
            Err(Refusal::Passed)
        } else if job.state.revision != claim.revision {
            Err(Refusal::Superseded)
        } else if !job.is_scheduled() {
            Err(Refusal::Paused)
        } else if claim.not_before > now + EARLY_TOLERANCE {
            Err(Refusal::NotDue { remaining: (claim.not_before - now).to_std().unwrap_or(Duration::ZERO) })
        } else if now >= claim.deadline {
            Err(Refusal::DeadlinePassed)
        } else {
            Ok(())
        }
    }

    fn insert_claimed(&mut self, claim: &Claim, now: DateTime<Utc>, fill: impl FnOnce(&mut Execution)) -> ExecutionId {
        let mut row = self.draft(&claim.job_id, &claim.occurrence, Origin::Schedule, claim.scheduled_at, now);
        row.max_attempts = claim.max_attempts;
        row.not_before = claim.not_before;
        row.for_instance = claim.for_instance();
        fill(&mut row);
        self.insert(row, None)
    }
}

fn grant(row: &Execution) -> Option<Grant> {
    Some(Grant { execution_id: row.id, fence: row.fence?, started_at: row.started_at? })
}
