//! Running what never ran (R20).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Action, Actor, AuditRecord};
use crate::{
    identity::{ExecutionId, JobId},
    status::Status,
};

/// A request to run occurrences of a job that never ran.
#[derive(Debug, Clone)]
pub struct BackfillRequest {
    /// The job.
    pub job_id: JobId,
    /// The nominal instants of the occurrences; that the job's trigger names them is the caller's business.
    pub occurrences: Vec<DateTime<Utc>>,
    /// How many attempts may follow each one's first.
    pub retries: u32,
    /// Whether to answer what would be done, and do nothing.
    pub dry_run: bool,
    /// Who asks.
    pub actor: Actor,
}

impl BackfillRequest {
    /// What the audit keeps of it; `None` where nothing was written.
    #[must_use]
    pub fn audit(&self, answers: &[BackfillAnswer]) -> Option<AuditRecord> {
        let written = |answer: &BackfillAnswer| match answer {
            BackfillAnswer::Waits { execution_id, .. } => *execution_id,
            BackfillAnswer::Refused(_) => None,
        };
        let executions: Vec<ExecutionId> = answers.iter().filter_map(written).collect();
        if executions.is_empty() {
            return None;
        }
        let after = json!({ "asked": answers.len(), "executions": executions });
        Some(AuditRecord::new(&self.actor, Action::Backfill).of_job(&self.job_id).changing(Value::Null, after))
    }
}

/// What became of one occurrence of a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackfillAnswer {
    /// Its attempt waits to be taken; in a dry run it would.
    Waits {
        /// The attempt's number.
        attempt: u32,
        /// Its row; `None` in a dry run.
        execution_id: Option<ExecutionId>,
    },
    /// Nothing was written.
    Refused(BackfillRefusal),
}

/// Why an occurrence is not backfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackfillRefusal {
    /// Its newest attempt waits, runs or has run. One that did not succeed is retried.
    HasRun {
        /// That attempt.
        execution_id: ExecutionId,
        /// Where it stands.
        status: Status,
    },
    /// It is still to come, or the schedule has not decided it yet.
    Undecided,
    /// It lies below the job's horizon: its rows may have been pruned, and it may have run (R21).
    Pruned,
}
