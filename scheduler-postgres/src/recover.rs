//! Runs whose instance was lost (R6).

use scheduler_core::{
    identity::{ExecutionId, InstanceId},
    occurrence::OccurrenceKey,
    store::{RecoverRequest, Recovered},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    dependants::Dependants,
    error::PostgresError,
    pool::{Connection, Connections},
    row::{self, millis},
    sql::Query,
};

pub(crate) async fn recover(
    connections: &Connections,
    request: &RecoverRequest,
) -> Result<Vec<Recovered>, PostgresError> {
    let connection = connections.get().await?;
    connection.query(Query::CancelLost, &[(&millis(request.healthy_for) as _, Type::INT8)]).await?;
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
    let looks = [(&limit as _, Type::INT8), (&millis(request.healthy_for) as _, Type::INT8)];
    let lost = ids(&connection.query(Query::RecoverLook, &looks).await?)?;
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    connection.begin().await?;
    let recovered = abandon(&connection, &lost).await?;
    connection.commit().await?;
    Ok(recovered)
}

async fn abandon(connection: &Connection, lost: &Vec<i64>) -> Result<Vec<Recovered>, PostgresError> {
    let dependants = Dependants::lock(connection, lost).await?;
    let locked = ids(&connection.query(Query::RecoverLock, &[(lost, Type::INT8_ARRAY)]).await?)?;
    if locked.len() < lost.len() {
        connection.query(Query::RecoverOrphaned, &[(lost, Type::INT8_ARRAY)]).await?;
    }
    if locked.is_empty() {
        return Ok(Vec::new());
    }
    // A later statement, which sees a renewal or an outcome that came before the lock.
    let rows = connection.query(Query::Recover, &[(&locked, Type::INT8_ARRAY)]).await?;
    let recovered = rows.iter().map(recovered).collect::<Result<Vec<_>, _>>()?;
    let over = recovered.iter().filter(|recovered| recovered.next.is_none()).map(|recovered| recovered.execution_id);
    dependants.follow_up(connection, over).await?;
    Ok(recovered)
}

fn ids(rows: &[Row]) -> Result<Vec<i64>, PostgresError> {
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

fn recovered(row: &Row) -> Result<Recovered, PostgresError> {
    Ok(Recovered {
        execution_id: ExecutionId(row.try_get("id")?),
        job_id: row::job_id(row)?,
        occurrence: OccurrenceKey::from_stored(row.try_get("occurrence")?),
        attempt: row::count(row, "attempt")?,
        instance: row.try_get::<_, Option<_>>("instance_id")?.map(InstanceId),
        next: row.try_get::<_, Option<_>>("next_id")?.map(ExecutionId),
    })
}
