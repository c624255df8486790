//! One more attempt (R20).

use tracing::info;

use super::{OperatorError, SchedulerHandle};
use crate::{
    execution::Execution,
    identity::ExecutionId,
    store::{Action, Actor, RetryOutcome, RetryRequest},
};

impl SchedulerHandle {
    /// Has one more attempt made at an occurrence whose last attempt failed, timed out, was cancelled or abandoned;
    /// answers the row that waits. Whether it succeeds or not, no attempt follows it.
    ///
    /// # Errors
    /// [`OperatorError::UnknownExecution`], [`OperatorError::NotRetryable`], or a store that does not answer.
    ///
    /// # Cancel safety
    /// A dropped call may have written the attempt; repeated, it finds that another one follows.
    pub async fn retry(&self, id: ExecutionId, by: &Actor) -> Result<Execution, OperatorError> {
        let answer = self.try_retry(id, by).await;
        self.audited(by, Action::Retry, None, Some(id), answer).await
    }

    async fn try_retry(&self, id: ExecutionId, by: &Actor) -> Result<Execution, OperatorError> {
        let request = RetryRequest { execution_id: id, actor: by.clone() };
        match self.limited("retry an execution", self.0.store.retry(&request)).await? {
            RetryOutcome::Retried(next) => {
                let job_id = &next.job_id;
                info!(%job_id, execution_id = %id, next = %next.id, by = by.who, reason = by.reason, "one more attempt was asked for");
                self.0.look.notify_one();
                Ok(*next)
            }
            RetryOutcome::NotRetryable { status, next } => {
                Err(OperatorError::NotRetryable { execution_id: id, status, next })
            }
            RetryOutcome::Unknown => Err(OperatorError::UnknownExecution(id)),
        }
    }
}
