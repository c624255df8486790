//! One more attempt (R20).

use serde_json::json;

use super::{Action, Actor, AuditRecord};
use crate::{execution::Execution, identity::ExecutionId, status::Status};

/// A request for one more attempt at an occurrence.
#[derive(Debug, Clone)]
pub struct RetryRequest {
    /// Its last attempt.
    pub execution_id: ExecutionId,
    /// Who asks.
    pub actor: Actor,
}

impl RetryRequest {
    /// What the audit keeps of it once it is done.
    #[must_use]
    pub fn audit(&self, status: Status, next: &Execution) -> AuditRecord {
        let before = json!({ "status": status, "attempt": next.attempt.saturating_sub(1) });
        let after = json!({ "execution_id": next.id, "attempt": next.attempt });
        let record = AuditRecord::new(&self.actor, Action::Retry).of_job(&next.job_id);
        record.of_execution(self.execution_id).changing(before, after)
    }
}

/// What became of a request for one more attempt.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RetryOutcome {
    /// The attempt waits to be taken.
    Retried(Box<Execution>),
    /// The row is open, has succeeded or never ran, or another attempt follows it.
    NotRetryable {
        /// Where the row stands.
        status: Status,
        /// The attempt that follows it.
        next: Option<ExecutionId>,
    },
    /// There is no such row, or its job was never announced to the store, so that nobody would take one.
    Unknown,
}
