//! Pauses, from their beginning to their end (R23).

use scheduler_core::{
    identity::JobId,
    store::{PauseOutcome, PauseRequest, Planner, ResumeOutcome, ResumeRequest},
};
use tokio_postgres::types::Type;

use crate::{
    audit,
    decide::{self, Owed},
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, storable},
    sql::Query,
};

pub(crate) async fn pause(
    connections: &Connections,
    request: &PauseRequest,
    planner: &dyn Planner,
) -> Result<PauseOutcome, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let outcome = begin(&connection, request, planner).await?;
    match outcome {
        PauseOutcome::Paused { .. } => connection.commit().await?,
        _ => connection.rollback().await?,
    }
    Ok(outcome)
}

async fn begin(
    connection: &Connection,
    request: &PauseRequest,
    planner: &dyn Planner,
) -> Result<PauseOutcome, PostgresError> {
    let Some(Owed { decided, state, until: at }) = decide::owed(connection, &request.job_id, planner).await? else {
        return Ok(PauseOutcome::UnknownJob);
    };
    if request.until.is_some_and(|until| until <= at) {
        return Ok(PauseOutcome::UntilPassed);
    }
    if state.pause.is_some() {
        return Ok(PauseOutcome::AlreadyPaused(state));
    }
    let actor = &request.actor;
    let (by, reason) = (storable(&actor.who), actor.reason.as_deref().map(storable));
    let params: [Param<'_>; 5] = [
        (&request.job_id.as_str(), Type::TEXT),
        (&at, Type::TIMESTAMPTZ),
        (&by, Type::TEXT),
        (&reason, Type::TEXT),
        (&request.until, Type::TIMESTAMPTZ),
    ];
    let rows = connection.query(Query::Pause, &params).await?;
    audit::append(connection, &request.audit(&decided)).await?;
    Ok(PauseOutcome::Paused { state: row::state(&rows[0])?, decided: Box::new(decided) })
}

pub(crate) async fn resume(
    connections: &Connections,
    request: &ResumeRequest,
    planner: &dyn Planner,
) -> Result<ResumeOutcome, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let outcome = end(&connection, request, planner).await?;
    match outcome {
        ResumeOutcome::Resumed { .. } => connection.commit().await?,
        _ => connection.rollback().await?,
    }
    Ok(outcome)
}

async fn end(
    connection: &Connection,
    request: &ResumeRequest,
    planner: &dyn Planner,
) -> Result<ResumeOutcome, PostgresError> {
    let jobs = vec![request.job_id.as_str()];
    let job: Param<'_> = (&jobs, Type::TEXT_ARRAY);
    let locked = connection.query(Query::DecideLockWaiting, std::slice::from_ref(&job)).await?;
    let Some(state) = locked.first().map(row::state).transpose()? else { return Ok(ResumeOutcome::UnknownJob) };
    let Some(pause) = state.pause.clone() else { return Ok(ResumeOutcome::NotPaused(state)) };
    let Some(Owed { decided, .. }) = decide::owed(connection, &request.job_id, planner).await? else {
        return Ok(ResumeOutcome::UnknownJob);
    };
    let rows = connection.query(Query::Resume, std::slice::from_ref(&job)).await?;
    audit::append(connection, &request.audit(&pause, &decided)).await?;
    Ok(ResumeOutcome::Resumed { state: row::state(&rows[0])?, decided: Box::new(decided) })
}

pub(crate) async fn over(connections: &Connections, limit: usize) -> Result<Vec<JobId>, PostgresError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connections.get().await?.query(Query::PausesOver, &[(&limit, Type::INT8)]).await?;
    rows.iter().map(row::job_id).collect()
}
