//! Deleting rows that nobody needs (R21).

use std::collections::BTreeSet;

use scheduler_core::{
    identity::JobId,
    store::{PruneRequest, Pruned},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    error::PostgresError,
    pool::{Connection, Connections, Param},
    sql::Query,
};

pub(crate) async fn prune(connections: &Connections, request: &PruneRequest) -> Result<Pruned, PostgresError> {
    let connection = connections.get().await?;
    let found = look(&connection, request).await?;
    if found.is_empty() {
        return Ok(Pruned::new(0, false));
    }
    let mut jobs = BTreeSet::new();
    for row in &found {
        if row.try_get("is_scheduled")? {
            jobs.insert(row.try_get::<_, &str>("job_id")?);
        }
    }
    let jobs: Vec<&str> = jobs.into_iter().collect();
    connection.query(Query::PruneHorizon, &[(&jobs, Type::TEXT_ARRAY), (&request.before, Type::TIMESTAMPTZ)]).await?;
    connection.begin().await?;
    let locked = ids(&connection.query(Query::PruneLock, &[(&ids(&found)?, Type::INT8_ARRAY)]).await?)?;
    let deleted = connection.query(Query::Prune, &[(&locked, Type::INT8_ARRAY)]).await?.len();
    connection.commit().await?;
    Ok(Pruned::new(deleted, found.len() >= request.limit))
}

async fn look(connection: &Connection, request: &PruneRequest) -> Result<Vec<Row>, PostgresError> {
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
    let bounds: [Param<'_>; 2] = [(&request.before, Type::TIMESTAMPTZ), (&limit, Type::INT8)];
    let Some(job_id) = request.job_id.as_ref().map(JobId::as_str) else {
        return connection.query(Query::PruneLook, &bounds).await;
    };
    let [before, limit] = bounds;
    connection.query(Query::PruneLookJob, &[before, limit, (&job_id, Type::TEXT)]).await
}

fn ids(rows: &[Row]) -> Result<Vec<i64>, PostgresError> {
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}
