//! A pass over a job's undecided occurrences (R12).

use std::ops::Bound::{Excluded, Included};

use chrono::{DateTime, TimeDelta, Utc};

use super::{job::JobRecord, state::State};
use crate::{
    execution::Execution,
    identity::JobId,
    occurrence::{OccurrenceKey, Origin},
    status::Reason,
    store::{
        DecideView, Decided, DecidedRow, Deciding, DecisionPlan, GrowRange, PlannedRow, Planner, RangeRow, StoreError,
    },
};

/// How many rows a view holds at most where nobody says.
const VIEW_LIMIT: usize = 10_000;

impl State {
    pub(super) fn decide(
        &mut self,
        passes: &[Deciding<'_>],
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<Decided>>, StoreError> {
        let decide = |Deciding { request, planner }: &Deciding<'_>| {
            if self.jobs.get(&request.job_id).is_none_or(|job| job.state.revision != request.revision) {
                return Ok(None);
            }
            let view = self.view(&request.job_id, now - request.lag, request.limit, now);
            self.pass(&request.job_id, &view, *planner).map(Some)
        };
        passes.iter().map(decide).collect()
    }

    /// Decides what a job owes up to now, pass after pass; the planner sees the job's current revision.
    pub(super) fn decide_owed(
        &mut self,
        job_id: &JobId,
        planner: &dyn Planner,
        now: DateTime<Utc>,
    ) -> Result<Decided, StoreError> {
        let mut decided = Decided::nothing(now, now);
        loop {
            let mut view = self.view(job_id, now, VIEW_LIMIT, now);
            view.revision = Some(self.job(job_id).current_revision());
            let pass = self.pass(job_id, &view, planner)?;
            let goes_on = pass.ended_pause || pass.watermark > view.state.watermark && pass.watermark < now;
            decided.add(pass);
            if !goes_on {
                return Ok(decided);
            }
        }
    }

    fn job(&self, job_id: &JobId) -> &JobRecord {
        self.jobs.get(job_id).expect("it was looked up by the caller")
    }

    pub(super) fn view(&self, job_id: &JobId, until: DateTime<Utc>, limit: usize, now: DateTime<Utc>) -> DecideView {
        let job = self.job(job_id);
        let watermark = job.state.watermark;
        let mut until = until.max(watermark);
        let seen = job.decided.range((Excluded(watermark), Included(until)));
        let seen = seen.map(|(scheduled_at, from)| DecidedRow { scheduled_at: *scheduled_at, missed_from: *from });
        let mut rows: Vec<_> = seen.take(limit.saturating_add(1)).collect();
        let is_cut = rows.len() > limit;
        if is_cut {
            rows.truncate(limit);
            until = rows.last().map_or(watermark, |row| row.scheduled_at);
        }
        let newest_range = job.newest_range.and_then(|id| self.execution(id)).and_then(|row| {
            let (reason, missed_from) = (row.reason.filter(|reason| reason.is_of_ranges())?, row.missed_from?);
            Some(RangeRow { execution_id: row.id, reason, missed_from, scheduled_at: row.scheduled_at })
        });
        let state = job.state.clone();
        DecideView { now, state, revision: None, until, is_cut, rows, newest_range, held: job.holder(None).is_some() }
    }

    fn pass(&mut self, job_id: &JobId, view: &DecideView, planner: &dyn Planner) -> Result<Decided, StoreError> {
        let plan = planner.plan(view);
        if let Some(grow) = &plan.grow {
            self.check_growth(job_id, grow)?;
        }
        Ok(self.apply(job_id, plan, view.now))
    }

    fn apply(&mut self, job_id: &JobId, plan: DecisionPlan, now: DateTime<Utc>) -> Decided {
        let mut decided = Decided::nothing(now, now);
        let mut watermark = plan.watermark;
        if plan.ends_pause {
            let job = self.jobs.get_mut(job_id).expect("the view was of this job");
            decided.ended_pause = job.state.pause.take().is_some();
        }
        for planned in plan.rows {
            match planned {
                PlannedRow::Claim(claim) => {
                    let outcome = self.claim(&claim, now);
                    if outcome.is_undecided() {
                        // Nothing was written of it, so it stays above the watermark, for the next pass.
                        watermark = watermark.map(|to| to.min(claim.scheduled_at - TimeDelta::milliseconds(1)));
                    }
                    decided.claims.push((claim, outcome));
                }
                PlannedRow::CatchUp { occurrence, scheduled_at, max_attempts } => {
                    let row = self.draft(job_id, &occurrence, Origin::CatchUp, scheduled_at, now);
                    let is_new = self.wait(Execution { max_attempts, ..row });
                    decided.caught_up += usize::from(is_new);
                }
                PlannedRow::Waiting { occurrence, scheduled_at, not_before, max_attempts } => {
                    let row = self.draft(job_id, &occurrence, Origin::Schedule, scheduled_at, now);
                    let is_new = self.wait(Execution { not_before, max_attempts, ..row });
                    decided.waiting += usize::from(is_new);
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
                        decided.count_range(reason, missed_count);
                    }
                }
            }
        }
        if let Some(grow) = plan.grow {
            decided.count_range(self.grow(job_id, grow), grow.added);
        }
        let job = self.jobs.get_mut(job_id).expect("the view was of this job");
        if let Some(watermark) = watermark {
            job.move_watermark(watermark);
        }
        decided.watermark = job.state.watermark;
        decided
    }

    /// Makes an occurrence wait to be taken, unless it has a row.
    fn wait(&mut self, row: Execution) -> bool {
        let is_new = self.attempts(&row.job_id, &row.occurrence).is_empty();
        if is_new {
            self.insert(row, None);
        }
        is_new
    }

    fn check_growth(&self, job_id: &JobId, grow: &GrowRange) -> Result<(), StoreError> {
        let is_its_own = |row: &Execution| row.job_id == *job_id && row.missed_from.is_some();
        if self.execution(grow.execution_id).is_some_and(is_its_own) {
            return Ok(());
        }
        let source = format!("execution {} is no range row of job `{job_id}`", grow.execution_id).into();
        Err(StoreError::Rejected { operation: "decide occurrences", source })
    }

    /// Extends a range row: its last instant, and with it its key, move on. Answers why its occurrences never ran.
    fn grow(&mut self, job_id: &JobId, grow: GrowRange) -> Reason {
        let id = grow.execution_id;
        let key = OccurrenceKey::scheduled(grow.scheduled_at);
        let row = self.rows.get_mut(&id).expect("it was checked before anything was written");
        let old = std::mem::replace(&mut row.execution.occurrence, key.clone());
        let old_end = std::mem::replace(&mut row.execution.scheduled_at, grow.scheduled_at);
        let (missed_from, reason) = (row.execution.missed_from, row.execution.reason);
        row.execution.missed_count = Some(row.execution.missed_count.unwrap_or(0) + grow.added);
        let job = self.jobs.get_mut(job_id).expect("the view was of this job");
        // An attempt that was backfilled at the old last instant keeps its key.
        let mut others = job.attempts.remove(&old).unwrap_or_default();
        others.retain(|attempt| *attempt != id);
        if !others.is_empty() {
            job.attempts.insert(old, others);
        }
        job.attempts.insert(key, vec![id]);
        job.decided.remove(&old_end);
        job.note_decided(grow.scheduled_at, missed_from);
        reason.unwrap_or(Reason::Deadline)
    }
}
