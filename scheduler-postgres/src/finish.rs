//! Outcomes (R9), and those that come late (R6).

use scheduler_core::{
    identity::ExecutionId,
    status::{Reason, Status},
    store::{Finish, FinishOutcome},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    dependants::Dependants,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, millis, storable},
    sql::Query,
};

pub(crate) async fn finish(
    connections: &Connections,
    finishes: &[Finish],
) -> Result<Vec<FinishOutcome>, PostgresError> {
    if finishes.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connections.get().await?;
    let mut outcomes: Vec<Option<FinishOutcome>> = vec![None; finishes.len()];
    // Of an outcome that is in the batch twice the first is written, and the second finds it there.
    let mut seen = std::collections::HashSet::new();
    let first: Vec<usize> = (0..finishes.len()).filter(|nth| seen.insert(finishes[*nth].execution_id)).collect();
    end(&connection, Query::Finish, finishes, &first, &mut outcomes).await?;
    for nth in 0..finishes.len() {
        if outcomes[nth].is_none() {
            outcomes[nth] = Some(finish_alone(&connection, &finishes[nth]).await?);
        }
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(FinishOutcome::Fenced)).collect())
}

/// The one statement; leaves out what is locked, final or another's, and in a batch what others run after.
async fn end(
    connection: &Connection,
    query: Query,
    finishes: &[Finish],
    which: &[usize],
    outcomes: &mut [Option<FinishOutcome>],
) -> Result<(), PostgresError> {
    let asked: Vec<&Finish> = which.iter().map(|nth| &finishes[*nth]).collect();
    let ids: Vec<i64> = asked.iter().map(|finish| finish.execution_id.0).collect();
    let fences: Vec<i64> = asked.iter().map(|finish| finish.fence.0).collect();
    let statuses: Vec<&str> = asked.iter().map(|finish| finish.status.as_str()).collect();
    let reasons: Vec<Option<&str>> = asked.iter().map(|finish| finish.reason.map(Reason::as_str)).collect();
    let messages: Vec<_> = asked.iter().map(|finish| finish.message.as_deref().map(storable)).collect();
    let traces: Vec<_> = asked.iter().map(|finish| finish.error_trace.as_deref().map(storable)).collect();
    let results: Vec<_> = asked.iter().map(|finish| finish.result_data.as_ref()).collect();
    let after: Vec<Option<i64>> = asked.iter().map(|finish| finish.next.map(|next| millis(next.after))).collect();
    let holds: Vec<Option<bool>> = asked.iter().map(|finish| finish.next.map(|next| next.holds_key)).collect();
    let is_alone = query == Query::FinishWaiting;
    let params: [Param<'_>; 10] = [
        (&ids, Type::INT8_ARRAY),
        (&fences, Type::INT8_ARRAY),
        (&statuses, Type::TEXT_ARRAY),
        (&reasons, Type::TEXT_ARRAY),
        (&messages, Type::TEXT_ARRAY),
        (&traces, Type::TEXT_ARRAY),
        (&results, Type::JSON_ARRAY),
        (&after, Type::INT8_ARRAY),
        (&holds, Type::BOOL_ARRAY),
        (&is_alone, Type::BOOL),
    ];
    for row in &connection.query(query, &params).await? {
        let nth: i64 = row.try_get("nth")?;
        let nth = usize::try_from(nth - 1)
            .map_err(|_| PostgresError::Row { what: "place in the batch", value: nth.to_string() })?;
        outcomes[which[nth]] = Some(finished(row::word(row, "status", "status")?, false, row)?);
    }
    Ok(())
}

fn finished(status: Status, late: bool, row: &Row) -> Result<FinishOutcome, PostgresError> {
    let next: Option<i64> = row.try_get("next_id")?;
    Ok(FinishOutcome::Finished { status, late, next: next.map(ExecutionId) })
}

/// An outcome that the batch left out: on its own, waiting for its locks, and with what follows on it.
async fn finish_alone(connection: &Connection, finish: &Finish) -> Result<FinishOutcome, PostgresError> {
    connection.begin().await?;
    let dependants = Dependants::lock(connection, &[finish.execution_id.0]).await?;
    let mut outcomes = [None];
    end(connection, Query::FinishWaiting, std::slice::from_ref(finish), &[0], &mut outcomes).await?;
    let outcome = match outcomes {
        [Some(outcome)] => outcome,
        // The row is locked before its attempts are looked at, so that recovery adds none in between.
        [None] => settle(connection, finish).await?,
    };
    if matches!(outcome, FinishOutcome::Finished { next: None, .. }) {
        dependants.follow_up(connection, [finish.execution_id]).await?;
    }
    connection.commit().await?;
    Ok(outcome)
}

async fn settle(connection: &Connection, finish: &Finish) -> Result<FinishOutcome, PostgresError> {
    let id: Param<'_> = (&finish.execution_id.0, Type::INT8);
    let rows = connection.query(Query::FinishLock, std::slice::from_ref(&id)).await?;
    let Some(row) = rows.first() else { return Ok(FinishOutcome::Fenced) };
    if row.try_get::<_, Option<i64>>("fence")? != Some(finish.fence.0) {
        return Ok(FinishOutcome::Fenced);
    }
    let status: Status = row::word(row, "status", "status")?;
    let is_cancelled = status == Status::Cancelled
        && row::reason(row, "reason")? == Some(Reason::ByRequest)
        && finish.status != Status::Succeeded;
    let next = connection.query(Query::FinishNext, std::slice::from_ref(&id)).await?;
    let is_without_body = status == Status::Abandoned && finish.reason == Some(Reason::UnknownCommit);
    if is_without_body && next.is_empty() {
        return follow_abandoned(connection, finish).await;
    }
    if status == finish.status || is_cancelled {
        let next = next.first().map(|row| row.try_get("id").map(ExecutionId)).transpose()?;
        return Ok(FinishOutcome::Finished { status, late: row.try_get("late")?, next });
    }
    if status != Status::Abandoned || !next.is_empty() {
        return Ok(FinishOutcome::Fenced);
    }
    let message = finish.message.as_deref().map(storable);
    let trace = finish.error_trace.as_deref().map(storable);
    let params: [Param<'_>; 6] = [
        id,
        (&finish.status.as_str(), Type::TEXT),
        (&finish.reason.map(Reason::as_str), Type::TEXT),
        (&message, Type::TEXT),
        (&trace, Type::TEXT),
        (&finish.result_data, Type::JSON),
    ];
    connection.query(Query::FinishLate, &params).await?;
    Ok(FinishOutcome::Finished { status: finish.status, late: true, next: None })
}

/// The next attempt after a claim without a body, of which recovery could not know that it had none (R8).
async fn follow_abandoned(connection: &Connection, finish: &Finish) -> Result<FinishOutcome, PostgresError> {
    let message = finish.message.as_deref().map(storable);
    let params: [Param<'_>; 4] = [
        (&finish.execution_id.0, Type::INT8),
        (&finish.reason.map(Reason::as_str), Type::TEXT),
        (&message, Type::TEXT),
        (&finish.next.map(|next| millis(next.after)), Type::INT8),
    ];
    let rows = connection.query(Query::FinishFollow, &params).await?;
    let next = rows.first().map(|row| row.try_get("id").map(ExecutionId)).transpose()?;
    Ok(FinishOutcome::Finished { status: Status::Abandoned, late: false, next })
}
