//! Stopping an execution.

use tracing::info;

use super::{OperatorError, SchedulerHandle};
use crate::{
    execution::Execution,
    identity::ExecutionId,
    store::{Action, Actor, CancelOutcome, CancelRequest},
};

/// How an execution is stopped.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cancelled {
    /// It waited, and never runs.
    AtOnce(Box<Execution>),
    /// It runs: its body's token fires with the next renewal of its lease, wherever it runs.
    Asked,
}

impl SchedulerHandle {
    /// Stops an execution, whether it waits or runs; no attempt follows it.
    ///
    /// # Errors
    /// [`OperatorError::UnknownExecution`], [`OperatorError::HasEnded`], or a store that does not answer.
    ///
    /// # Cancel safety
    /// A dropped call may have stopped it; repeated, it finds it ended, or asks again.
    pub async fn cancel(&self, id: ExecutionId, by: &Actor) -> Result<Cancelled, OperatorError> {
        let answer = self.try_cancel(id, by).await;
        self.audited(by, Action::Cancel, None, Some(id), answer).await
    }

    async fn try_cancel(&self, id: ExecutionId, by: &Actor) -> Result<Cancelled, OperatorError> {
        let request = CancelRequest { execution_id: id, actor: by.clone() };
        let cancelled = match self.limited("stop an execution", self.0.store.cancel(&request)).await? {
            CancelOutcome::Cancelled(execution) => Cancelled::AtOnce(execution),
            CancelOutcome::Asked => Cancelled::Asked,
            CancelOutcome::Ended(status) => return Err(OperatorError::HasEnded { execution_id: id, status }),
            CancelOutcome::Unknown => return Err(OperatorError::UnknownExecution(id)),
        };
        info!(execution_id = %id, by = by.who, reason = by.reason, "an execution is stopped on request");
        Ok(cancelled)
    }
}
