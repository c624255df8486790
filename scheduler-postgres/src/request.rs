//! Manual requests (R19).

use scheduler_core::{
    TraceContext,
    identity::ExecutionId,
    job::OverlapPolicy,
    status::{Reason, Status},
    store::{ManualOutcome, ManualRequest},
};
use tokio_postgres::types::Type;

use crate::{
    audit,
    claim::stop_holder,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, storable},
    sql::Query,
};

/// How often a request is decided anew because what stood in its way was gone when it was asked for.
const ROUNDS: usize = 4;

pub(crate) async fn request(
    connections: &Connections,
    request: &ManualRequest,
) -> Result<ManualOutcome, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let outcome = decide(&connection, request).await?;
    connection.commit().await?;
    Ok(outcome)
}

async fn decide(connection: &Connection, request: &ManualRequest) -> Result<ManualOutcome, PostgresError> {
    let job_id = request.job_id.as_str();
    let job: Param<'_> = (&job_id, Type::TEXT);
    // The idempotency key is asked for before overlap: equal requests at once come one after the other.
    if connection.query(Query::JobLock, std::slice::from_ref(&job)).await?.is_empty() {
        return Ok(ManualOutcome::UnknownJob);
    }
    for round in 0..ROUNDS {
        if let Some(outcome) = repeated(connection, request).await? {
            return Ok(outcome);
        }
        let holder = holder(connection, &job).await?;
        match (request.overlap, holder) {
            (OverlapPolicy::Skip, Some(holder)) => {
                return Ok(ManualOutcome::AlreadyRunning { execution_id: Some(holder) });
            }
            (OverlapPolicy::CancelRunning, Some(_)) => {
                let own: Param<'_> = (&None::<uuid::Uuid>, Type::UUID);
                stop_holder(connection, &job, &own).await?;
                let now: Option<chrono::DateTime<chrono::Utc>> = None;
                connection.query(Query::SupersedeQueued, &[job.clone(), (&now, Type::TIMESTAMPTZ), own]).await?;
            }
            _ => {}
        }
        if let Some(outcome) = insert(connection, request, Way::of(request.overlap, round)).await? {
            return Ok(outcome);
        }
    }
    Ok(ManualOutcome::AlreadyRunning { execution_id: None })
}

/// How a request's row comes into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It holds the key from now on.
    Holds,
    /// It is the one queued row: it waits its turn, before what the schedule brings.
    Queued,
    /// It waits and holds nothing.
    Free,
    /// The queue is full.
    Skipped(Reason),
}

impl Way {
    /// What finds the queue full is skipped at the second look.
    const fn of(overlap: OverlapPolicy, round: usize) -> Self {
        match overlap {
            OverlapPolicy::Skip => Self::Holds,
            OverlapPolicy::Allow => Self::Free,
            _ if round.is_multiple_of(2) => Self::Queued,
            OverlapPolicy::CancelRunning => Self::Skipped(Reason::Superseded),
            _ => Self::Skipped(Reason::QueueFull),
        }
    }
}

/// The row that holds the job's key, or is queued for it.
async fn holder(connection: &Connection, job: &Param<'_>) -> Result<Option<ExecutionId>, PostgresError> {
    let rows = connection.query(Query::Holder, std::slice::from_ref(job)).await?;
    Ok(rows.first().map(|row| row.try_get("id").map(ExecutionId)).transpose()?)
}

/// The answer to a request whose idempotency key is known.
async fn repeated(connection: &Connection, request: &ManualRequest) -> Result<Option<ManualOutcome>, PostgresError> {
    let (job_id, occurrence) = (request.job_id.as_str(), request.occurrence.as_str());
    let params: [Param<'_>; 3] =
        [(&job_id, Type::TEXT), (&occurrence, Type::TEXT), (&request.request_hash, Type::TEXT)];
    let rows = connection.query(Query::RequestFate, &params).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(if row.try_get("same")? {
        ManualOutcome::Repeated(Box::new(row::execution(row)?))
    } else {
        ManualOutcome::IdempotencyConflict
    }))
}

/// The one statement; `None` when another row was in the way.
async fn insert(
    connection: &Connection,
    request: &ManualRequest,
    way: Way,
) -> Result<Option<ManualOutcome>, PostgresError> {
    let (job_id, occurrence) = (request.job_id.as_str(), request.occurrence.as_str());
    let (status, reason) = match way {
        Way::Skipped(reason) => (Status::Skipped, Some(reason.as_str())),
        _ => (Status::Pending, None),
    };
    let attempts = i32::try_from(request.max_attempts).unwrap_or(i32::MAX);
    let triggered_by = request.actor.as_ref().map(|actor| storable(&actor.who));
    let traceparent = request.trace_context.as_ref().map(TraceContext::traceparent);
    let tracestate = request.trace_context.as_ref().and_then(TraceContext::tracestate);
    let params: [Param<'_>; 12] = [
        (&job_id, Type::TEXT),
        (&occurrence, Type::TEXT),
        (&attempts, Type::INT4),
        (&status.as_str(), Type::TEXT),
        (&reason, Type::TEXT),
        (&(way == Way::Holds), Type::BOOL),
        (&(way == Way::Queued), Type::BOOL),
        (&request.request_hash, Type::TEXT),
        (&triggered_by, Type::TEXT),
        (&request.params, Type::JSON),
        (&traceparent, Type::TEXT),
        (&tracestate, Type::TEXT),
    ];
    let rows = connection.query(Query::Request, &params).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let accepted = row::execution(row)?;
    if let Some(record) = request.audit(&accepted) {
        audit::append(connection, &record).await?;
    }
    Ok(Some(ManualOutcome::Accepted(Box::new(accepted))))
}
