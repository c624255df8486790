//! Skipping one occurrence that is still to come.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Action, Actor, AuditRecord};
use crate::{execution::Execution, identity::JobId};

/// A request that one occurrence of a job shall not run.
#[derive(Debug, Clone)]
pub struct SkipRequest {
    /// The job.
    pub job_id: JobId,
    /// The occurrence's nominal instant; that the job's trigger names it is the caller's business.
    pub scheduled_at: DateTime<Utc>,
    /// Who asks; their reason becomes the row's message.
    pub actor: Actor,
}

impl SkipRequest {
    /// What the audit keeps of it once it is done.
    #[must_use]
    pub fn audit(&self, row: &Execution) -> AuditRecord {
        let after = json!({ "scheduled_at": row.scheduled_at, "status": row.status });
        let record = AuditRecord::new(&self.actor, Action::Skip).of_job(&self.job_id);
        record.of_execution(row.id).changing(Value::Null, after)
    }
}

/// What became of a request to skip an occurrence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SkipOutcome {
    /// It has its row, `skipped (by_request)`, before its time: whoever claims it finds it decided.
    Skipped(Box<Execution>),
    /// It had a row before: its newest attempt.
    AlreadyDecided(Box<Execution>),
    /// Its time has come: the schedule decides it.
    Due,
    /// The job was never announced to the store.
    UnknownJob,
}
