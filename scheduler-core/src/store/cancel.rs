//! Stopping what runs, and what waits to run.

use serde_json::json;

use super::{Action, Actor, AuditRecord};
use crate::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    status::Status,
};

/// A request to stop an execution.
#[derive(Debug, Clone)]
pub struct CancelRequest {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Who asks.
    pub actor: Actor,
}

impl CancelRequest {
    /// What the audit keeps of it once it is done: whether the execution had started before.
    #[must_use]
    pub fn audit(&self, job_id: &JobId, was_running: bool) -> AuditRecord {
        let (before, after) = if was_running {
            (json!({ "status": Status::Running }), json!({ "cancel_requested": true }))
        } else {
            (json!({ "status": Status::Pending }), json!({ "status": Status::Cancelled }))
        };
        let record = AuditRecord::new(&self.actor, Action::Cancel).of_job(job_id);
        record.of_execution(self.execution_id).changing(before, after)
    }
}

/// What became of a request to stop an execution.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CancelOutcome {
    /// It waited: its row is `cancelled (by_request)`, and gives up the key if it held it.
    Cancelled(Box<Execution>),
    /// It runs: the next renewal of its lease carries the request (R3).
    Asked,
    /// It has ended: nothing was written.
    Ended(Status),
    /// There is no such row.
    Unknown,
}
