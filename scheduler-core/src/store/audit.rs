//! Who did what, to which job, when, why and from where.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Actor;
use crate::{
    identity::{ExecutionId, JobId},
    occurrence::{UnknownWord, words},
};

words! {
    /// What somebody did, or wanted to do.
    Action: "action" {
        /// Paused a job.
        Pause = "pause",
        /// Ended a job's pause.
        Resume = "resume",
        /// Had occurrences run that never ran.
        Backfill = "backfill",
        /// Had one more attempt made at an occurrence.
        Retry = "retry",
        /// Stopped an execution.
        Cancel = "cancel",
        /// Kept one occurrence from running.
        Skip = "skip",
        /// Ran a job.
        Trigger = "trigger",
    }
}

/// The number of an entry of the audit. Grows in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditId(pub i64);

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is to be kept of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Who, why, and from where.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// Of which job.
    pub job_id: Option<JobId>,
    /// Of which execution.
    pub execution_id: Option<ExecutionId>,
    /// Why it was not done; `None` for what was.
    pub refused: Option<String>,
    /// What the action changed, as it was before.
    pub before: Option<Value>,
    /// And after.
    pub after: Option<Value>,
}

impl AuditRecord {
    /// An action, of which nothing more is said yet.
    #[must_use]
    pub fn new(actor: &Actor, action: Action) -> Self {
        let actor = actor.clone();
        Self { actor, action, job_id: None, execution_id: None, refused: None, before: None, after: None }
    }

    /// Says of which job.
    #[must_use]
    pub fn of_job(self, job_id: &JobId) -> Self {
        Self { job_id: Some(job_id.clone()), ..self }
    }

    /// Says of which execution.
    #[must_use]
    pub fn of_execution(self, id: ExecutionId) -> Self {
        Self { execution_id: Some(id), ..self }
    }

    /// Says what changed.
    #[must_use]
    pub fn changing(self, before: Value, after: Value) -> Self {
        let given = |value: Value| (!value.is_null()).then_some(value);
        Self { before: given(before), after: given(after), ..self }
    }

    /// Says why it was not done.
    #[must_use]
    pub fn refused(self, why: impl Into<String>) -> Self {
        Self { refused: Some(why.into()), ..self }
    }
}

/// An entry of the audit. It never changes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its number.
    pub id: AuditId,
    /// When, by the store's clock.
    pub at: DateTime<Utc>,
    /// What.
    pub record: AuditRecord,
}

impl AuditEntry {
    /// An entry as a store has it.
    #[must_use]
    pub const fn new(id: AuditId, at: DateTime<Utc>, record: AuditRecord) -> Self {
        Self { id, at, record }
    }
}

/// A request for entries of the audit; one that names nothing gets none, as its limit is 0.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Of this job alone.
    pub job_id: Option<JobId>,
    /// Of these jobs alone, such as those that somebody may see; `None` for all, and for what is of no job.
    pub among: Option<Vec<JobId>>,
    /// Of this execution alone.
    pub execution_id: Option<ExecutionId>,
    /// By this caller.
    pub who: Option<String>,
    /// Of one of these actions; empty for all.
    pub actions: Vec<Action>,
    /// At or after this instant.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<AuditId>,
    /// How many at most.
    pub limit: usize,
}

impl AuditQuery {
    /// Whether an entry is one of these.
    #[must_use]
    pub fn lets_through(&self, entry: &AuditEntry) -> bool {
        let AuditEntry { id, at, record } = entry;
        self.job_id.as_ref().is_none_or(|job_id| record.job_id.as_ref() == Some(job_id))
            && self.among.as_ref().is_none_or(|jobs| record.job_id.as_ref().is_some_and(|id| jobs.contains(id)))
            && self.execution_id.is_none_or(|execution_id| record.execution_id == Some(execution_id))
            && self.who.as_ref().is_none_or(|who| record.actor.who == *who)
            && (self.actions.is_empty() || self.actions.contains(&record.action))
            && self.since.is_none_or(|since| *at >= since)
            && self.until.is_none_or(|until| *at < until)
            && self.before.is_none_or(|before| *id < before)
    }
}
