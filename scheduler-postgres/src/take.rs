//! Pending rows: which are due, and their start (R2).

use std::time::Duration;

use scheduler_core::{
    identity::{ClaimId, ExecutionId, JobId},
    occurrence::Origin,
    status::Status,
    store::{DueExecution, DueRequest, Refusal, TakeOutcome, TakeRequest},
};
use tokio_postgres::{Row, error::SqlState, types::Type};

use crate::{
    claim::Fences,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, millis},
    sql::Query,
};

pub(crate) async fn due(connections: &Connections, request: &DueRequest) -> Result<Vec<DueExecution>, PostgresError> {
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
    let (instant, id) = request.after.map(|after| (after.scheduled_at, after.execution_id.0)).unzip();
    let jobs: Option<Vec<&str>> = request.jobs.as_ref().map(|jobs| jobs.iter().map(JobId::as_str).collect());
    let connection = connections.get().await?;
    let left_alone = connection.left_alone();
    let params: [Param<'_>; 6] = [
        (&limit, Type::INT8),
        (&instant, Type::TIMESTAMPTZ),
        (&id, Type::INT8),
        (&request.instance.0, Type::UUID),
        (&jobs, Type::TEXT_ARRAY),
        (&left_alone, Type::INT8_ARRAY),
    ];
    let rows = connection.query(Query::Due, &params).await?;
    let due = |row: &Row| {
        Ok(DueExecution {
            execution_id: ExecutionId(row.try_get("id")?),
            job_id: row::job_id(row)?,
            origin: Origin::from_stored(row.try_get("origin")?),
            scheduled_at: row.try_get("scheduled_at")?,
        })
    };
    rows.iter().map(due).collect()
}

pub(crate) async fn take(
    connections: &Connections,
    requests: &[TakeRequest],
) -> Result<Vec<TakeOutcome>, PostgresError> {
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connections.get().await?;
    let outcomes = take_on(&connection, requests).await;
    outcomes.map_err(|error| connection.after_writes(error))
}

async fn take_on(connection: &Connection, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, PostgresError> {
    let mut outcomes: Vec<Option<TakeOutcome>> = vec![None; requests.len()];
    let (counted, free): (Vec<_>, Vec<_>) = (0..requests.len()).partition(|nth| requests[*nth].at_once.is_some());
    // A single row waits for its locks; a batch leaves out what is locked, which is found again at the next look.
    let query = if requests.len() == 1 { Query::TakeWaiting } else { Query::Take };
    for batch in [free, counted] {
        start_in_parts(connection, query, requests, batch, &mut outcomes).await?;
    }
    for nth in fates(connection, requests, &mut outcomes).await? {
        outcomes[nth] = Some(TakeOutcome::Refused(Refusal::Held));
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(TakeOutcome::Refused(Refusal::NotPending))).collect())
}

/// Starts these rows, all counted or none. A key that was taken meanwhile fails the statement, and with it the whole batch:
/// its halves are started on their own then, down to the one row whose key it is.
async fn start_in_parts(
    connection: &Connection,
    query: Query,
    requests: &[TakeRequest],
    batch: Vec<usize>,
    outcomes: &mut [Option<TakeOutcome>],
) -> Result<(), PostgresError> {
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        let Some(first) = part.first() else { continue };
        let started = if requests[*first].at_once.is_some() {
            start_in_turn(connection, requests, &part, outcomes).await
        } else {
            start(connection, query, requests, &part, outcomes).await
        };
        match started {
            Err(error) if is_conflict(&error) && part.len() > 1 => {
                let later = part.split_off(part.len() / 2);
                parts.extend([later, part]);
            }
            Err(error) if is_conflict(&error) => outcomes[part[0]] = Some(TakeOutcome::Refused(Refusal::Held)),
            started => started?,
        }
    }
    Ok(())
}

/// Rows that are counted: nobody else counts those of the same jobs meanwhile (R17).
async fn start_in_turn(
    connection: &Connection,
    requests: &[TakeRequest],
    which: &[usize],
    outcomes: &mut [Option<TakeOutcome>],
) -> Result<(), PostgresError> {
    let ids: Vec<i64> = which.iter().map(|nth| requests[*nth].execution_id.0).collect();
    connection.begin().await?;
    connection.query(Query::TakeTurn, &[(&ids, Type::INT8_ARRAY)]).await?;
    match start(connection, Query::TakeWaiting, requests, which, outcomes).await {
        Err(error) if is_conflict(&error) => {
            connection.rollback().await?;
            Err(error)
        }
        started => {
            started?;
            connection.commit().await
        }
    }
}

fn is_conflict(error: &PostgresError) -> bool {
    matches!(error, PostgresError::Driver(error) if error.code().is_some_and(|code| {
        [SqlState::UNIQUE_VIOLATION, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
    }))
}

/// The one statement.
async fn start(
    connection: &Connection,
    query: Query,
    requests: &[TakeRequest],
    which: &[usize],
    outcomes: &mut [Option<TakeOutcome>],
) -> Result<(), PostgresError> {
    let ids: Vec<i64> = which.iter().map(|nth| requests[*nth].execution_id.0).collect();
    let claim_ids: Vec<uuid::Uuid> = which.iter().map(|nth| requests[*nth].claim_id.0).collect();
    let holds: Vec<bool> = which.iter().map(|nth| requests[*nth].holds_key).collect();
    let reruns: Vec<bool> = which.iter().map(|nth| requests[*nth].rerun_on_crash).collect();
    let leases: Vec<i64> = which.iter().map(|nth| millis(requests[*nth].lease)).collect();
    let instances: Vec<uuid::Uuid> = which.iter().map(|nth| requests[*nth].instance.0).collect();
    let for_instances = keys(which.iter().map(|nth| &requests[*nth]));
    let at_once: Vec<Option<i32>> = which.iter().map(|nth| most(&requests[*nth])).collect();
    let params: [Param<'_>; 8] = [
        (&ids, Type::INT8_ARRAY),
        (&claim_ids, Type::UUID_ARRAY),
        (&holds, Type::BOOL_ARRAY),
        (&reruns, Type::BOOL_ARRAY),
        (&leases, Type::INT8_ARRAY),
        (&instances, Type::UUID_ARRAY),
        (&for_instances, Type::UUID_ARRAY),
        (&at_once, Type::INT4_ARRAY),
    ];
    let rows = connection.query(query, &params).await?;
    let fences = Fences::settle(connection, &rows).await?;
    let mut unreadable = Vec::new();
    for row in &rows {
        let granted = granted(row, &fences)?;
        if let TakeOutcome::Refused(_) = granted {
            unreadable.push(row.try_get::<_, i64>("id")?);
        }
        outcomes[which[index(row)?]] = Some(granted);
    }
    if !unreadable.is_empty() {
        connection.query(Query::GiveBack, &[(&unreadable, Type::INT8_ARRAY)]).await?;
        connection.leave_alone(&unreadable);
    }
    Ok(())
}

/// The instance in which each key ends, where each instance has its own.
fn keys<'a>(requests: impl Iterator<Item = &'a TakeRequest>) -> Vec<Option<uuid::Uuid>> {
    requests.map(|request| request.for_instance().map(|instance| instance.0)).collect()
}

/// What was started. A row that can't be read is no body's: none of the others of its batch is held up.
fn granted(row: &Row, fences: &Fences) -> Result<TakeOutcome, PostgresError> {
    let grant = fences.grant(row)?;
    let mut execution = match row::execution(row) {
        Ok(execution) => execution,
        Err(error) => {
            row::tell_unreadable(row, &error);
            return Ok(TakeOutcome::Refused(Refusal::NotPending));
        }
    };
    execution.fence = Some(grant.fence);
    Ok(TakeOutcome::Granted { grant, execution: Box::new(execution) })
}

/// Finds out why rows were not taken. Answers those of which only a lock or a holder can have been in the way.
async fn fates(
    connection: &Connection,
    requests: &[TakeRequest],
    outcomes: &mut [Option<TakeOutcome>],
) -> Result<Vec<usize>, PostgresError> {
    let open: Vec<usize> = (0..requests.len()).filter(|nth| outcomes[*nth].is_none()).collect();
    if open.is_empty() {
        return Ok(open);
    }
    let ids: Vec<i64> = open.iter().map(|nth| requests[*nth].execution_id.0).collect();
    let claim_ids: Vec<uuid::Uuid> = open.iter().map(|nth| requests[*nth].claim_id.0).collect();
    let instances: Vec<uuid::Uuid> = open.iter().map(|nth| requests[*nth].instance.0).collect();
    let for_instances = keys(open.iter().map(|nth| &requests[*nth]));
    let at_once: Vec<Option<i32>> = open.iter().map(|nth| most(&requests[*nth])).collect();
    let params: [Param<'_>; 5] = [
        (&ids, Type::INT8_ARRAY),
        (&claim_ids, Type::UUID_ARRAY),
        (&instances, Type::UUID_ARRAY),
        (&for_instances, Type::UUID_ARRAY),
        (&at_once, Type::INT4_ARRAY),
    ];
    let rows = connection.query(Query::TakeFate, &params).await?;
    let fences = Fences::settle(connection, &rows).await?;
    for nth in &open {
        outcomes[*nth] = Some(TakeOutcome::Refused(Refusal::NotPending));
    }
    let mut left = Vec::new();
    for row in &rows {
        let nth = open[index(row)?];
        outcomes[nth] = fate(row, requests[nth].claim_id, &fences)?;
        if outcomes[nth].is_none() {
            left.push(nth);
        }
    }
    Ok(left)
}

fn fate(row: &Row, claim_id: ClaimId, fences: &Fences) -> Result<Option<TakeOutcome>, PostgresError> {
    let refused = |refusal| Ok(Some(TakeOutcome::Refused(refusal)));
    let status = Status::from_stored(row.try_get("status")?);
    let remaining: i64 = row.try_get("remaining_ms")?;
    if status == Status::Running && row.try_get::<_, Option<uuid::Uuid>>("claim_id")? == Some(claim_id.0) {
        Ok(Some(granted(row, fences)?))
    } else if status != Status::Pending || row.try_get("is_anothers")? {
        refused(Refusal::NotPending)
    } else if row.try_get("paused")? {
        refused(Refusal::Paused)
    } else if remaining > 0 {
        refused(Refusal::NotDue { remaining: Duration::from_millis(remaining.unsigned_abs()) })
    } else if row.try_get("held")? {
        refused(Refusal::Held)
    } else if row.try_get("crowded")? {
        refused(Refusal::Full)
    } else {
        Ok(None)
    }
}

/// How many rows may run at once, as the statements take it.
fn most(request: &TakeRequest) -> Option<i32> {
    request.at_once.map(|most| most.try_into().unwrap_or(i32::MAX))
}

fn index(row: &Row) -> Result<usize, PostgresError> {
    let nth: i64 = row.try_get("nth")?;
    usize::try_from(nth - 1).map_err(|_| PostgresError::Row { what: "place in the batch", value: nth.to_string() })
}
