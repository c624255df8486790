//! Guards a body's own transaction by the execution that it is part of (R7).

use async_trait::async_trait;
use scheduler_core::context::JobContext;
use tokio_postgres::{Transaction, types::Type};

use crate::sql::{Query, Statements};

/// Lets a body write only while its execution is its own.
#[async_trait]
pub trait Guard {
    /// Locks the execution's row in this transaction against its end, and fails unless it runs under this body's fence
    /// with a living lease. What the transaction commits after it was written by the execution's owner.
    ///
    /// The transaction is one on the store's own database, at the isolation level READ COMMITTED. It holds up the writing
    /// of the execution's outcome until it ends, and no renewal: leases are kept apart.
    ///
    /// # Errors
    /// [`GuardError::Lost`] when the execution is not this body's any more: roll the transaction back.
    ///
    /// # Cancel safety
    /// Dropped, the transaction may hold the lock until it ends.
    async fn guard(&self, transaction: &Transaction<'_>) -> Result<(), GuardError>;
}

/// Why a transaction is not guarded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The execution has ended, was given up, or its lease has expired: another may run in its place.
    #[error("execution {execution} is not this body's any more: roll the transaction back")]
    Lost {
        /// The execution.
        execution: i64,
    },
    /// The execution's store is not PostgreSQL.
    #[error("the execution's rows are not in PostgreSQL: a transaction on it can't be guarded")]
    OtherStore,
    /// PostgreSQL did not answer, or refused.
    #[error("the execution's row can't be locked")]
    Driver(#[from] tokio_postgres::Error),
}

#[async_trait]
impl Guard for JobContext {
    async fn guard(&self, transaction: &Transaction<'_>) -> Result<(), GuardError> {
        let statements = Statements::of(self.store_namespace().ok_or(GuardError::OtherStore)?);
        let (execution, fence) = (self.execution_id().0, self.fencing_token().0);
        let params: [crate::pool::Param<'_>; 2] = [(&execution, Type::INT8), (&fence, Type::INT8)];
        let lost = GuardError::Lost { execution };
        let rows = transaction.query_typed(statements.text(Query::GuardLock), &params).await?;
        let runs = rows.first().map(|row| row.try_get::<_, Option<bool>>("runs")).transpose()?.flatten();
        if runs != Some(true) {
            return Err(lost);
        }
        // A later statement, which sees a recovery that came before the lock.
        let rows = transaction.query_typed(statements.text(Query::GuardLease), &params).await?;
        if rows[0].try_get("lives")? { Ok(()) } else { Err(lost) }
    }
}
