//! Who did what, and who was refused.

use tracing::warn;

use super::{OperatorError, SchedulerHandle};
use crate::{
    identity::{ExecutionId, JobId},
    store::{Action, Actor, AuditEntry, AuditId, AuditQuery, AuditRecord, StoreError},
};

impl SchedulerHandle {
    /// Entries of the audit, newest first: what was done through any handle, and what was refused.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.limited("read the audit", self.0.store.audit(query)).await
    }

    /// Adds an entry of what the service itself has refused: somebody who may not do what they asked for.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError> {
        self.limited("add to the audit", self.0.store.record(record)).await
    }

    /// Adds an entry where an operator's request was refused; what was done has its own.
    pub(super) async fn audited<T>(
        &self,
        by: &Actor,
        action: Action,
        job_id: Option<&JobId>,
        execution_id: Option<ExecutionId>,
        answer: Result<T, OperatorError>,
    ) -> Result<T, OperatorError> {
        if let Err(error) = answer.as_ref()
            && error.is_refusal()
        {
            let mut record = AuditRecord::new(by, action).refused(error.to_string());
            record.job_id = job_id.cloned();
            record.execution_id = execution_id;
            if let (None, Some(id)) = (job_id, execution_id) {
                // Whose row it is says who may read of it; without an answer the entry is of no job.
                let row = self.execution(id).await.ok().flatten();
                record.job_id = row.map(|row| row.job_id);
            }
            self.note_refusal(&record).await;
        }
        answer
    }

    /// Adds an entry of a refusal; where that fails the refusal stands all the same.
    pub(super) async fn note_refusal(&self, record: &AuditRecord) {
        if let Err(error) = self.record(record).await {
            let (by, error): (_, &dyn std::error::Error) = (&*record.actor.who, &error);
            warn!(by, action = %record.action, error, "a refusal could not be added to the audit");
        }
    }
}
