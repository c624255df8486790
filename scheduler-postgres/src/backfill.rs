//! Running what never ran, and one more attempt (R20).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use scheduler_core::{
    identity::{ExecutionId, JobId},
    occurrence::OccurrenceKey,
    status::Status,
    store::{BackfillAnswer, BackfillRefusal, BackfillRequest, RetryOutcome, RetryRequest},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    audit,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, storable},
    sql::Query,
};

/// How often occurrences are looked at anew because their attempt came from elsewhere meanwhile.
const ROUNDS: usize = 2;

pub(crate) async fn backfill(
    connections: &Connections,
    request: &BackfillRequest,
) -> Result<Option<Vec<BackfillAnswer>>, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let job_id = request.job_id.as_str();
    let answers = if connection.query(Query::JobLock, &[(&job_id, Type::TEXT)]).await?.is_empty() {
        None
    } else {
        let answers = answer(&connection, request).await?;
        if let Some(record) = request.audit(&answers) {
            audit::append(&connection, &record).await?;
        }
        Some(answers)
    };
    connection.commit().await?;
    Ok(answers)
}

async fn answer(connection: &Connection, request: &BackfillRequest) -> Result<Vec<BackfillAnswer>, PostgresError> {
    let mut answers = vec![BackfillAnswer::Refused(BackfillRefusal::Undecided); request.occurrences.len()];
    let mut open: Vec<usize> = (0..answers.len()).collect();
    for _ in 0..ROUNDS {
        let mut wanted = Vec::new();
        for (nth, next) in look(connection, &request.job_id, &request.occurrences, &open).await? {
            match next {
                Err(refusal) => answers[nth] = BackfillAnswer::Refused(refusal),
                Ok(attempt) => wanted.push((nth, attempt)),
            }
        }
        if request.dry_run {
            for (nth, attempt) in wanted {
                answers[nth] = BackfillAnswer::Waits { attempt, execution_id: None };
            }
            break;
        }
        open = insert(connection, request, wanted, &mut answers).await?;
        if open.is_empty() {
            break;
        }
    }
    Ok(answers)
}

/// The number of the attempt that each of these occurrences would get.
async fn look(
    connection: &Connection,
    job_id: &JobId,
    occurrences: &[DateTime<Utc>],
    which: &[usize],
) -> Result<Vec<(usize, Result<u32, BackfillRefusal>)>, PostgresError> {
    let instants: Vec<DateTime<Utc>> = which.iter().map(|nth| occurrences[*nth]).collect();
    let keys: Vec<OccurrenceKey> = instants.iter().map(|at| OccurrenceKey::scheduled(*at)).collect();
    let keys: Vec<&str> = keys.iter().map(OccurrenceKey::as_str).collect();
    let params: [Param<'_>; 3] =
        [(&job_id.as_str(), Type::TEXT), (&keys, Type::TEXT_ARRAY), (&instants, Type::TIMESTAMPTZ_ARRAY)];
    let rows = connection.query(Query::BackfillLook, &params).await?;
    which.iter().zip(&rows).map(|(nth, row)| Ok((*nth, next(row)?))).collect()
}

fn next(row: &Row) -> Result<Result<u32, BackfillRefusal>, PostgresError> {
    let (is_past, is_decided): (bool, bool) = (row.try_get("is_past")?, row.try_get("is_decided")?);
    let newest = match row.try_get::<_, Option<i64>>("id")? {
        None => None,
        Some(id) => Some((ExecutionId(id), row::word(row, "status", "status")?)),
    };
    Ok(match newest {
        Some((execution_id, status)) if !matches!(status, Status::Missed | Status::Skipped) => {
            Err(BackfillRefusal::HasRun { execution_id, status })
        }
        _ if row.try_get("is_pruned")? => Err(BackfillRefusal::Pruned),
        Some(_) if is_past => Ok(row::count(row, "attempt")?.saturating_add(1)),
        None if is_past && is_decided => Ok(1),
        _ => Err(BackfillRefusal::Undecided),
    })
}

/// Inserts attempts; answers which occurrences had one meanwhile.
async fn insert(
    connection: &Connection,
    request: &BackfillRequest,
    wanted: Vec<(usize, u32)>,
    answers: &mut [BackfillAnswer],
) -> Result<Vec<usize>, PostgresError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let attempts: Vec<i32> = wanted.iter().map(|(_, attempt)| (*attempt).try_into().unwrap_or(i32::MAX)).collect();
    let instants: Vec<DateTime<Utc>> = wanted.iter().map(|(nth, _)| request.occurrences[*nth]).collect();
    let keys: Vec<OccurrenceKey> = instants.iter().map(|at| OccurrenceKey::scheduled(*at)).collect();
    let texts: Vec<&str> = keys.iter().map(OccurrenceKey::as_str).collect();
    let params: [Param<'_>; 6] = [
        (&request.job_id.as_str(), Type::TEXT),
        (&texts, Type::TEXT_ARRAY),
        (&instants, Type::TIMESTAMPTZ_ARRAY),
        (&attempts, Type::INT4_ARRAY),
        (&i64::from(request.retries), Type::INT8),
        (&storable(&request.actor.who), Type::TEXT),
    ];
    let mut inserted: HashMap<String, i64> = HashMap::new();
    for row in &connection.query(Query::Backfill, &params).await? {
        inserted.insert(row.try_get("occurrence")?, row.try_get("id")?);
    }
    let mut open = Vec::new();
    for ((nth, attempt), key) in wanted.into_iter().zip(&keys) {
        match inserted.remove(key.as_str()) {
            // Of an occurrence that is asked for twice, the second finds the first.
            None => open.push(nth),
            Some(id) => answers[nth] = BackfillAnswer::Waits { attempt, execution_id: Some(ExecutionId(id)) },
        }
    }
    Ok(open)
}

pub(crate) async fn retry(connections: &Connections, request: &RetryRequest) -> Result<RetryOutcome, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let outcome = follow(&connection, request).await?;
    connection.commit().await?;
    Ok(outcome)
}

async fn follow(connection: &Connection, request: &RetryRequest) -> Result<RetryOutcome, PostgresError> {
    let id: Param<'_> = (&request.execution_id.0, Type::INT8);
    // The row is locked before its attempts are looked at: recovery and a late outcome come before or after (R6).
    let locked = connection.query(Query::FinishLock, std::slice::from_ref(&id)).await?;
    let Some(row) = locked.first() else { return Ok(RetryOutcome::Unknown) };
    let status: Status = row::word(row, "status", "status")?;
    let next = connection.query(Query::FinishNext, std::slice::from_ref(&id)).await?;
    let next = next.first().map(|row| row.try_get("id").map(ExecutionId)).transpose()?;
    if next.is_some() || !status.is_retryable() {
        return Ok(RetryOutcome::NotRetryable { status, next });
    }
    let rows = connection.query(Query::Retry, std::slice::from_ref(&id)).await?;
    let retried = match rows.first() {
        Some(row) => row::execution(row)?,
        // Its instance is gone (R26).
        None if row.try_get("is_ones_alone")? => return Ok(RetryOutcome::NotRetryable { status, next }),
        None => return Ok(RetryOutcome::Unknown),
    };
    audit::append(connection, &request.audit(status, &retried)).await?;
    Ok(RetryOutcome::Retried(Box::new(retried)))
}
