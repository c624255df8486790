//! What a pass over one job's undecided occurrences sees, and what it asks to be written (R12).

use std::{fmt::Debug, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{Claim, ClaimOutcome, JobRevision, JobState};
use crate::{
    identity::{ExecutionId, InstanceId, JobId, RevisionId},
    occurrence::OccurrenceKey,
    status::{Reason, Status},
};

/// A request to decide what one job owes.
#[derive(Debug, Clone)]
pub struct DecideRequest {
    /// The job.
    pub job_id: JobId,
    /// The revision that the caller has of it.
    pub revision: RevisionId,
    /// The deciding instance.
    pub instance: InstanceId,
    /// How far behind the store's clock the pass ends: 2 s.
    pub lag: Duration,
    /// How many rows the view holds at most; the plan goes no further than the last of them.
    pub limit: usize,
}

/// A pass over one job's undecided occurrences: what is asked, and who plans.
#[derive(Debug, Clone)]
pub struct Deciding<'a> {
    /// The request.
    pub request: DecideRequest,
    /// Decides what to write from what is seen.
    pub planner: &'a dyn Planner,
}

/// What the pass sees, the job's state locked.
#[derive(Debug, Clone)]
pub struct DecideView {
    /// The store's clock.
    pub now: DateTime<Utc>,
    /// The job's state.
    pub state: JobState,
    /// The job's current revision as stored, where somebody asks who need not have it: to pause, to resume, to switch
    /// to another.
    pub revision: Option<Arc<JobRevision>>,
    /// The end of the pass, inclusive: `now - lag`, or the last row of the view where there were more than `limit`.
    pub until: DateTime<Utc>,
    /// Whether it ends there because more rows follow.
    pub is_cut: bool,
    /// The rows of the schedule's occurrences in `(watermark, until]`, by `scheduled_at`: own rows and range rows.
    pub rows: Vec<DecidedRow>,
    /// The newest range row of the job, if its reason may still grow.
    pub newest_range: Option<RangeRow>,
    /// Whether a row holds the job's key, or one is queued.
    pub held: bool,
}

/// An occurrence, or a range of them, that has its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedRow {
    /// The occurrence, or the last of the range.
    pub scheduled_at: DateTime<Utc>,
    /// The first of the range, for a range row.
    pub missed_from: Option<DateTime<Utc>>,
}

/// A range row that may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeRow {
    /// The row.
    pub execution_id: ExecutionId,
    /// Why its occurrences were missed.
    pub reason: Reason,
    /// The first instant covered.
    pub missed_from: DateTime<Utc>,
    /// The last instant covered.
    pub scheduled_at: DateTime<Utc>,
}

/// What the pass asks to be written, in one commit.
#[derive(Debug, Clone, Default)]
pub struct DecisionPlan {
    /// Rows to insert, in order.
    pub rows: Vec<PlannedRow>,
    /// A range row to extend.
    pub grow: Option<GrowRange>,
    /// The new watermark; `None` leaves it where it is.
    pub watermark: Option<DateTime<Utc>>,
    /// Whether the job's pause is over (R23). It is ended before the rows are inserted.
    pub ends_pause: bool,
}

impl DecisionPlan {
    /// Whether nothing is to be written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.grow.is_none() && self.watermark.is_none() && !self.ends_pause
    }
}

/// A row that the pass inserts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PlannedRow {
    /// Claims the occurrence, as [`super::ExecutionStore::claim`] does; past the filter.
    Claim(Claim),
    /// Makes the occurrence wait to be taken, holding nothing (R16), with origin `catch_up`.
    CatchUp {
        /// The occurrence's key.
        occurrence: OccurrenceKey,
        /// The nominal instant.
        scheduled_at: DateTime<Utc>,
        /// How many attempts it may have.
        max_attempts: u32,
    },
    /// Makes an occurrence that is within its deadline wait to be taken, holding nothing (R16), with origin `schedule`:
    /// whoever plans can't run it.
    Waiting {
        /// The occurrence's key.
        occurrence: OccurrenceKey,
        /// The nominal instant.
        scheduled_at: DateTime<Utc>,
        /// The earliest start: `scheduled_at` and the job's jitter.
        not_before: DateTime<Utc>,
        /// How many attempts it may have.
        max_attempts: u32,
    },
    /// Records a range as never run.
    Range {
        /// `missed` or `skipped`.
        status: Status,
        /// Why.
        reason: Reason,
        /// The first instant covered.
        missed_from: DateTime<Utc>,
        /// The last instant covered that has no row of its own; its key is the row's.
        scheduled_at: DateTime<Utc>,
        /// How many occurrences without rows of their own are covered.
        missed_count: u64,
    },
}

/// A range row's growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrowRange {
    /// The row.
    pub execution_id: ExecutionId,
    /// The new last instant; its key becomes the row's.
    pub scheduled_at: DateTime<Utc>,
    /// How many occurrences are added.
    pub added: u64,
}

/// What a pass did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Decided {
    /// The store's clock during the pass.
    pub now: DateTime<Utc>,
    /// The job's watermark after it.
    pub watermark: DateTime<Utc>,
    /// What became of the planned claims, in order.
    pub claims: Vec<(Claim, ClaimOutcome)>,
    /// How many occurrences were recorded as missed.
    pub missed: u64,
    /// How many occurrences were recorded as skipped.
    pub skipped: u64,
    /// How many occurrences now wait as `catch_up`.
    pub caught_up: usize,
    /// How many occurrences within their deadline now wait.
    pub waiting: usize,
    /// Whether the job's pause was ended.
    pub ended_pause: bool,
}

impl Decided {
    /// A pass that wrote nothing.
    #[must_use]
    pub const fn nothing(now: DateTime<Utc>, watermark: DateTime<Utc>) -> Self {
        Self { now, watermark, claims: Vec::new(), missed: 0, skipped: 0, caught_up: 0, waiting: 0, ended_pause: false }
    }

    /// Adds what a further pass did.
    pub fn add(&mut self, pass: Self) {
        self.now = pass.now;
        self.watermark = pass.watermark;
        self.claims.extend(pass.claims);
        self.missed += pass.missed;
        self.skipped += pass.skipped;
        self.caught_up += pass.caught_up;
        self.waiting += pass.waiting;
        self.ended_pause |= pass.ended_pause;
    }

    /// Counts a range that was recorded, by its reason.
    pub fn count_range(&mut self, reason: Reason, occurrences: u64) {
        if reason == Reason::Paused {
            self.skipped += occurrences;
        } else {
            self.missed += occurrences;
        }
    }
}

/// Decides what to write from what is seen. Pure: a store may call it again when its transaction is repeated.
pub trait Planner: Debug + Send + Sync {
    /// The plan for this view.
    fn plan(&self, view: &DecideView) -> DecisionPlan;
}
