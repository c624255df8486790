//! The checker: whether the history's rows keep what was promised.

mod attempts;
mod change;
mod coverage;
mod dependants;
mod row;
mod sequence;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use scheduler_cron::TriggerError;
use serde::{Deserialize, Serialize};

pub use change::check_change;

use crate::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    job::JobSettings,
    occurrence::{UnknownWord, words},
    store::JobRevision,
};

words! {
    /// What must hold whatever happens.
    Invariant: "invariant" {
        /// Each occurrence is decided once: by one first attempt, or as part of one range.
        Once = "once",
        /// No occurrence is decided that the trigger does not name.
        NotInvented = "not_invented",
        /// Nothing starts before its time, or is decided after its deadline as if it were in time.
        InTime = "in_time",
        /// Attempts are numbered without gaps, each begins after the one before has ended, with a higher fence, and only
        /// where another may follow.
        Attempts = "attempts",
        /// Of one job no two grants have the same fence, and later ones have higher ones.
        Fences = "fences",
        /// Of one job no two executions run at once, unless its overlap policy allows it.
        OneAtATime = "one_at_a_time",
        /// Nothing runs or waits on without end.
        NotStuck = "not_stuck",
        /// Every occurrence that went by is decided.
        NoHole = "no_hole",
        /// The row is there before the body's first line runs.
        WrittenFirst = "written_first",
        /// The body starts once for each attempt.
        StartedOnce = "started_once",
        /// A body does nothing once a later grant of its job has begun.
        NoZombie = "no_zombie",
        /// What a row says of a body is what the body did.
        OutcomeKept = "outcome_kept",
        /// A row's fields fit its status, and a final row does not change.
        State = "state",
    }
}

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What does not hold.
    pub invariant: Invariant,
    /// The job.
    pub job_id: JobId,
    /// The row, where it is one row's.
    pub execution_id: Option<ExecutionId>,
    /// What was found.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(invariant: Invariant, job_id: &JobId, row: Option<&Execution>, what: String) -> Self {
        Self { invariant, job_id: job_id.clone(), execution_id: row.map(|row| row.id), what }
    }

    fn of(invariant: Invariant, row: &Execution, what: impl Into<String>) -> Self {
        Self::new(invariant, &row.job_id, Some(row), what.into())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: job `{}`", self.invariant, self.job_id)?;
        if let Some(id) = self.execution_id {
            write!(f, ", execution {id}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A job, and the span over which its rows are checked.
#[derive(Debug, Clone)]
pub struct LedgerJob {
    /// The settings that the job had all this time.
    pub settings: Arc<JobSettings>,
    /// The start of the span, exclusive: when the job was first announced, or later.
    pub after: DateTime<Utc>,
    /// The end of the span, inclusive: what is later may not be decided yet.
    pub until: DateTime<Utc>,
}

impl LedgerJob {
    /// A job as a revision has it, over a span in which it was the current one.
    ///
    /// # Errors
    /// When another version of the code wrote a trigger that this one can't read.
    pub fn of_revision(
        job_id: &JobId,
        revision: &JobRevision,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Self, TriggerError> {
        Ok(Self { settings: Arc::new(JobSettings::from_revision(job_id, revision)?), after, until })
    }
}

/// Checks the rows of these jobs: doubles, holes, overlaps beyond policy, impossible states, runs before their time,
/// attempts that do not add up. The expected occurrences are recomputed from the triggers.
///
/// `executions` are all rows of the jobs in the spans, in any order; rows of other jobs are checked by themselves
/// alone. What needs more than rows (did a body start twice?) can't be seen here.
///
/// ```
/// use chrono::TimeDelta;
/// use scheduler_core::{job::Job, testing::{LedgerJob, ManualScheduler, check_ledger}};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let job = Job::builder("hourly").cron("0 * * * *").run(|| async {});
/// let settings = job.settings().clone();
/// let after = "2026-01-01T00:00:00Z".parse()?;
/// let mut scheduler = ManualScheduler::start(after, |it| it.jobs([job])).await?;
/// scheduler.advance(Duration::from_secs(24 * 60 * 60)).await;
///
/// let mut rows = scheduler.executions("hourly").await;
/// let job = LedgerJob { settings, after, until: after + TimeDelta::days(1) };
/// assert_eq!(check_ledger(&[job.clone()], &rows), []);
///
/// rows.remove(11);
/// let found = check_ledger(&[job], &rows);
/// assert!(found[0].to_string().starts_with("no_hole: job `hourly`"));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn check_ledger(jobs: &[LedgerJob], executions: &[Execution]) -> Vec<Violation> {
    let mut by_job: BTreeMap<&JobId, Vec<&Execution>> = BTreeMap::new();
    for row in executions {
        by_job.entry(&row.job_id).or_default().push(row);
    }
    let mut violations: Vec<_> = executions.iter().flat_map(row::check).collect();
    for rows in by_job.values_mut() {
        rows.sort_by_key(|row| row.id);
        let settings = jobs.iter().find(|job| job.settings.id == rows[0].job_id).map(|job| &*job.settings);
        violations.extend(attempts::check(rows, settings));
        violations.extend(sequence::check(rows, settings));
    }
    for job in jobs {
        let rows = by_job.get(&job.settings.id).map_or(&[][..], Vec::as_slice);
        violations.extend(coverage::check(job, rows));
    }
    let mut rows: Vec<&Execution> = executions.iter().collect();
    rows.sort_by_key(|row| row.id);
    violations.extend(dependants::check(jobs, &rows));
    violations
}
