//! What runs after an occurrence that is over (R24).

use scheduler_core::{identity::ExecutionId, status::Status};
use tokio_postgres::types::Type;

use crate::{error::PostgresError, pool::Connection, row, sql::Query};

/// The dependants of some executions' jobs, locked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dependants {
    is_any: bool,
}

impl Dependants {
    /// Locks the states of all jobs that run after those of these executions, before any of the rows is locked.
    pub(crate) async fn lock(connection: &Connection, of: &[i64]) -> Result<Self, PostgresError> {
        let rows = connection.query(Query::DependantsLock, &[(&of, Type::INT8_ARRAY)]).await?;
        Ok(Self { is_any: !rows.is_empty() })
    }

    /// Inserts what follows on executions whose occurrences are over, in a transaction, down the chain as far as nothing
    /// runs.
    pub(crate) async fn follow_up(
        self,
        connection: &Connection,
        ended: impl IntoIterator<Item = ExecutionId>,
    ) -> Result<(), PostgresError> {
        let mut ended: Vec<i64> = ended.into_iter().map(|id| id.0).collect();
        while self.is_any && !ended.is_empty() {
            let mut over = Vec::new();
            for row in &connection.query(Query::Dependants, &[(&ended, Type::INT8_ARRAY)]).await? {
                if row::word::<Status>(row, "status", "status")?.is_final() {
                    over.push(row.try_get("id")?);
                }
            }
            ended = over;
        }
        Ok(())
    }
}
