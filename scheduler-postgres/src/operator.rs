//! Stopping an execution, and skipping an occurrence ahead of its time.

use scheduler_core::{
    occurrence::OccurrenceKey,
    status::Status,
    store::{CancelOutcome, CancelRequest, SkipOutcome, SkipRequest},
};
use tokio_postgres::types::Type;

use crate::{
    audit,
    dependants::Dependants,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, storable},
    sql::Query,
};

pub(crate) async fn cancel(connections: &Connections, request: &CancelRequest) -> Result<CancelOutcome, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let outcome = stop(&connection, request).await?;
    connection.commit().await?;
    Ok(outcome)
}

async fn stop(connection: &Connection, request: &CancelRequest) -> Result<CancelOutcome, PostgresError> {
    let id: Param<'_> = (&request.execution_id.0, Type::INT8);
    let id = std::slice::from_ref(&id);
    // The lease alone: a run's own transaction that guards its row (R7) must not hold up the request to stop it.
    if ask(connection, request).await? {
        return Ok(CancelOutcome::Asked);
    }
    let dependants = Dependants::lock(connection, &[request.execution_id.0]).await?;
    let locked = connection.query(Query::FinishLock, id).await?;
    let Some(row) = locked.first() else { return Ok(CancelOutcome::Unknown) };
    match row::word(row, "status", "status")? {
        Status::Pending => {
            let message = request.actor.reason.as_deref().map(storable);
            let rows = connection.query(Query::CancelWaiting, &[id[0].clone(), (&message, Type::TEXT)]).await?;
            let row = rows.first().ok_or(PostgresError::Row { what: "pending row", value: "nothing".to_owned() })?;
            let cancelled = row::execution(row)?;
            dependants.follow_up(connection, [cancelled.id]).await?;
            audit::append(connection, &request.audit(&cancelled.job_id, false)).await?;
            Ok(CancelOutcome::Cancelled(Box::new(cancelled)))
        }
        Status::Running => {
            // It was taken meanwhile.
            ask(connection, request).await?;
            Ok(CancelOutcome::Asked)
        }
        ended => Ok(CancelOutcome::Ended(ended)),
    }
}

/// Leaves the request on the run's lease; `false` when there is none.
async fn ask(connection: &Connection, request: &CancelRequest) -> Result<bool, PostgresError> {
    let rows = connection.query(Query::RequestCancel, &[(&request.execution_id.0, Type::INT8)]).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    audit::append(connection, &request.audit(&row::job_id(row)?, true)).await?;
    Ok(true)
}

pub(crate) async fn skip(connections: &Connections, request: &SkipRequest) -> Result<SkipOutcome, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let outcome = write_ahead(&connection, request).await?;
    connection.commit().await?;
    Ok(outcome)
}

async fn write_ahead(connection: &Connection, request: &SkipRequest) -> Result<SkipOutcome, PostgresError> {
    let job_id = request.job_id.as_str();
    let job: Param<'_> = (&job_id, Type::TEXT);
    if connection.query(Query::JobLock, std::slice::from_ref(&job)).await?.is_empty() {
        return Ok(SkipOutcome::UnknownJob);
    }
    let key = OccurrenceKey::scheduled(request.scheduled_at);
    let key: Param<'_> = (&key.as_str(), Type::TEXT);
    let (message, who) = (request.actor.reason.as_deref().map(storable), storable(&request.actor.who));
    let params: [Param<'_>; 5] = [
        job.clone(),
        key.clone(),
        (&request.scheduled_at, Type::TIMESTAMPTZ),
        (&message, Type::TEXT),
        (&who, Type::TEXT),
    ];
    if let Some(row) = connection.query(Query::Skip, &params).await?.first() {
        let skipped = row::execution(row)?;
        audit::append(connection, &request.audit(&skipped)).await?;
        return Ok(SkipOutcome::Skipped(Box::new(skipped)));
    }
    match connection.query(Query::NewestAttempt, &[job, key]).await?.first() {
        Some(row) => Ok(SkipOutcome::AlreadyDecided(Box::new(row::execution(row)?))),
        None => Ok(SkipOutcome::Due),
    }
}
