//! A pass over a job's undecided occurrences (R12).

use std::ops::Bound::{Excluded, Included};

use chrono::{DateTime, TimeDelta, Utc};

use super::state::State;
use crate::{
    identity::JobId,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{
        ClaimOutcome, DecideRequest, DecideView, Decided, DecidedRow, DecisionPlan, GrowRange, PlannedRow, Planner,
        RangeRow, Refusal, StoreError,
    },
};

impl State {
    pub(super) fn decide(
        &mut self,
        request: &DecideRequest,
        planner: &dyn Planner,
        now: DateTime<Utc>,
    ) -> Result<Option<Decided>, StoreError> {
        let Some(view) = self.view(request, now) else { return Ok(None) };
        let plan = planner.plan(&view);
        if let Some(grow) = &plan.grow {
            self.check_growth(&request.job_id, grow)?;
        }
        Ok(Some(self.apply(&request.job_id, plan, now)))
    }

    fn view(&self, request: &DecideRequest, now: DateTime<Utc>) -> Option<DecideView> {
        let job = self.jobs.get(&request.job_id).filter(|job| job.state.revision == request.revision)?;
        let watermark = job.state.watermark;
        let mut until = (now - request.lag).max(watermark);
        let seen = job.decided.range((Excluded(watermark), Included(until)));
        let seen = seen.map(|(scheduled_at, from)| DecidedRow { scheduled_at: *scheduled_at, missed_from: *from });
        let mut rows: Vec<_> = seen.take(request.limit.saturating_add(1)).collect();
        if rows.len() > request.limit {
            rows.truncate(request.limit);
            until = rows.last().map_or(watermark, |row| row.scheduled_at);
        }
        let newest_range = job.newest_range.and_then(|id| self.execution(id)).and_then(|row| {
            let reason = row
                .reason
                .filter(|reason| matches!(reason, Reason::Deadline | Reason::Coalesced | Reason::CatchUpLimit))?;
            let missed_from = row.missed_from?;
            Some(RangeRow { execution_id: row.id, reason, missed_from, scheduled_at: row.scheduled_at })
        });
        Some(DecideView { now, state: job.state.clone(), until, rows, newest_range, held: job.is_held() })
    }

    fn apply(&mut self, job_id: &JobId, plan: DecisionPlan, now: DateTime<Utc>) -> Decided {
        let mut decided = Decided::nothing(now, now);
        let mut watermark = plan.watermark;
        for planned in plan.rows {
            match planned {
                PlannedRow::Claim(claim) => {
                    let outcome = self.claim(&claim, now);
                    let is_decided =
                        !matches!(outcome, ClaimOutcome::Refused(refusal) if refusal != Refusal::AlreadyDecided);
                    if !is_decided {
                        // Nothing was written of it, so it stays above the watermark, for the next pass.
                        watermark = watermark.map(|to| to.min(claim.scheduled_at - TimeDelta::milliseconds(1)));
                    }
                    decided.claims.push((claim, outcome));
                }
                PlannedRow::CatchUp { occurrence, scheduled_at, max_attempts } => {
                    if self.attempts(job_id, &occurrence).is_empty() {
                        let mut row = self.draft(job_id, &occurrence, Origin::CatchUp, scheduled_at, now);
                        row.max_attempts = max_attempts;
                        self.insert(row, None);
                        decided.caught_up += 1;
                    }
                }
                PlannedRow::Range { status, reason, missed_from, scheduled_at, missed_count } => {
                    let key = OccurrenceKey::scheduled(scheduled_at);
                    if self.attempts(job_id, &key).is_empty() {
                        let mut row = self.draft(job_id, &key, Origin::Schedule, scheduled_at, now);
                        row.status = status;
                        row.reason = Some(reason);
                        row.missed_from = Some(missed_from);
                        row.missed_count = Some(missed_count);
                        self.insert(row, None);
                        decided.missed += if status == Status::Missed { missed_count } else { 0 };
                    }
                }
            }
        }
        if let Some(grow) = plan.grow {
            self.grow(job_id, grow);
            decided.missed += grow.added;
        }
        let job = self.jobs.get_mut(job_id).expect("the view was of this job");
        if let Some(watermark) = watermark {
            job.move_watermark(watermark);
        }
        decided.watermark = job.state.watermark;
        decided
    }

    fn check_growth(&self, job_id: &JobId, grow: &GrowRange) -> Result<(), StoreError> {
        let is_its_own = |row: &crate::execution::Execution| row.job_id == *job_id && row.missed_from.is_some();
        if self.execution(grow.execution_id).is_some_and(is_its_own) {
            return Ok(());
        }
        let source = format!("execution {} is no range row of job `{job_id}`", grow.execution_id).into();
        Err(StoreError::Rejected { operation: "decide occurrences", source })
    }

    /// Extends a range row: its last instant, and with it its key, move on.
    fn grow(&mut self, job_id: &JobId, grow: GrowRange) {
        let id = grow.execution_id;
        let key = OccurrenceKey::scheduled(grow.scheduled_at);
        let Some(row) = self.rows.get_mut(&id) else { return };
        let old = std::mem::replace(&mut row.execution.occurrence, key.clone());
        let old_end = std::mem::replace(&mut row.execution.scheduled_at, grow.scheduled_at);
        let missed_from = row.execution.missed_from;
        row.execution.missed_count = Some(row.execution.missed_count.unwrap_or(0) + grow.added);
        let job = self.jobs.get_mut(job_id).expect("the view was of this job");
        job.attempts.remove(&old);
        job.attempts.insert(key, vec![id]);
        job.decided.remove(&old_end);
        job.note_decided(grow.scheduled_at, missed_from);
    }
}
