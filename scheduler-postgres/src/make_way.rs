//! Holders that are asked to stop for what is queued (R17).

use scheduler_core::identity::{ExecutionId, JobId};
use tokio_postgres::types::Type;

use crate::{error::PostgresError, pool::Connections, sql::Query};

pub(crate) async fn make_way(connections: &Connections, jobs: &[JobId]) -> Result<Vec<ExecutionId>, PostgresError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let jobs: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let connection = connections.get().await?;
    let rows = connection.query(Query::MakeWay, &[(&jobs, Type::TEXT_ARRAY)]).await;
    let rows = rows.map_err(|error| connection.after_writes(error))?;
    rows.iter().map(|row| Ok(ExecutionId(row.try_get("id")?))).collect()
}
