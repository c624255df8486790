//! Holders that are asked to stop for what is queued (R17).

use scheduler_core::identity::{ExecutionId, JobId};
use tokio_postgres::types::Type;

use crate::{dependants::Dependants, error::PostgresError, pool::Connections, sql::Query};

pub(crate) async fn make_way(connections: &Connections, jobs: &[JobId]) -> Result<Vec<ExecutionId>, PostgresError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let jobs: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let connection = connections.get().await?;
    connection.begin().await?;
    let mut asked = Vec::new();
    let mut over = Vec::new();
    for row in &connection.query(Query::MakeWay, &[(&jobs, Type::TEXT_ARRAY)]).await? {
        let id = ExecutionId(row.try_get("id")?);
        asked.push(id);
        if row.try_get("is_over")? {
            over.push(id);
        }
    }
    if !over.is_empty() {
        let ids: Vec<i64> = over.iter().map(|id| id.0).collect();
        let dependants = Dependants::lock(&connection, &ids).await?;
        dependants.follow_up(&connection, over).await?;
    }
    connection.commit().await?;
    Ok(asked)
}
