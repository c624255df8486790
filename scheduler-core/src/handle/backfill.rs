//! Running what never ran (R20).

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use tracing::info;

use super::{OperatorError, SchedulerHandle};
use crate::{
    identity::JobId,
    store::{Action, Actor, BackfillAnswer, BackfillRequest},
};

/// How many occurrences a backfill has at most: a day of minutes, with room for an hour twice.
pub(super) const MOST: usize = 1_500;

/// A request to run what a job is due for in a range of time, and never ran.
///
/// ```
/// use scheduler_core::{Backfill, identity::JobId};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tuesday = "2026-06-09T00:00:00Z".parse()?.."2026-06-10T00:00:00Z".parse()?;
/// let backfill = Backfill::new(JobId::parse("report")?, tuesday).as_dry_run();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a backfill does nothing until it is given to `SchedulerHandle::backfill`"]
pub struct Backfill {
    job_id: JobId,
    range: Range<DateTime<Utc>>,
    dry_run: bool,
}

impl Backfill {
    /// The job's occurrences from the range's start, included, to its end, not included.
    pub const fn new(job_id: JobId, range: Range<DateTime<Utc>>) -> Self {
        Self { job_id, range, dry_run: false }
    }

    /// Asks what would be done, and does nothing.
    pub fn as_dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }
}

/// An occurrence of a backfill, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backfilled {
    /// The occurrence's nominal instant.
    pub scheduled_at: DateTime<Utc>,
    /// What became of it.
    pub answer: BackfillAnswer,
}

impl SchedulerHandle {
    /// Runs what a job is due for in a range of the past and never ran: missed, skipped, or never decided. Answers each
    /// occurrence of the range, by the job's current trigger, in order; what has run, runs or waits is left as it is.
    ///
    /// The runs are taken oldest first, whether the job is paused, disabled or neither.
    ///
    /// # Errors
    /// [`OperatorError::UnknownJob`], [`OperatorError::RunsEverywhere`], [`OperatorError::TooMany`], [`OperatorError::Trigger`], or a store that does not
    /// answer.
    ///
    /// # Cancel safety
    /// A dropped call may have written all of its rows; repeated, it finds them waiting.
    pub async fn backfill(&self, backfill: &Backfill, by: &Actor) -> Result<Vec<Backfilled>, OperatorError> {
        let answer = self.try_backfill(backfill, by).await;
        self.audited(by, Action::Backfill, Some(&backfill.job_id), None, answer).await
    }

    async fn try_backfill(&self, backfill: &Backfill, by: &Actor) -> Result<Vec<Backfilled>, OperatorError> {
        let Backfill { job_id, range, dry_run } = backfill;
        let settings = self.shared_settings(job_id).await?;
        let before = range.start.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(range.start);
        let due = settings.trigger.upcoming(before).take_while(|at| *at < range.end);
        let occurrences: Vec<_> = due.take(MOST + 1).collect();
        if occurrences.len() > MOST {
            return Err(OperatorError::TooMany);
        }
        let request = BackfillRequest {
            job_id: job_id.clone(),
            occurrences,
            retries: settings.retries,
            dry_run: *dry_run,
            actor: by.clone(),
        };
        let answers = self.limited("backfill occurrences", self.0.store.backfill(&request)).await?;
        let answers = answers.ok_or_else(|| OperatorError::UnknownJob(job_id.clone()))?;
        let waits = answers.iter().filter(|answer| matches!(answer, BackfillAnswer::Waits { .. })).count();
        if waits > 0 && !dry_run {
            info!(%job_id, by = by.who, reason = by.reason, occurrences = waits, "occurrences that never ran wait to be taken");
            self.0.look.notify_one();
        }
        let backfilled = |(scheduled_at, answer)| Backfilled { scheduled_at, answer };
        Ok(request.occurrences.iter().copied().zip(answers).map(backfilled).collect())
    }
}
