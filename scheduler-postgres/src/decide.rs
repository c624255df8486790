//! A pass over one job's undecided occurrences (R12).

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    identity::{ExecutionId, JobId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{
        Claim, ClaimOutcome, DecideRequest, DecideView, Decided, DecidedRow, DecisionPlan, GrowRange, JobState,
        PlannedRow, Planner, RangeRow, Refusal,
    },
};
use tokio_postgres::{Row, types::Type};

use crate::{
    claim::decide_claims,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, millis},
    sql::Query,
};

pub(crate) async fn decide(
    connections: &Connections,
    request: &DecideRequest,
    planner: &dyn Planner,
) -> Result<Option<Decided>, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let Some(view) = view(&connection, request).await? else {
        connection.rollback().await?;
        return Ok(None);
    };
    let plan = planner.plan(&view);
    if plan.rows.is_empty() && plan.grow.is_none() && plan.watermark.is_none() {
        connection.rollback().await?;
        return Ok(Some(Decided::nothing(view.now, view.state.watermark)));
    }
    let decided = apply(&connection, &request.job_id, &view, plan).await?;
    connection.commit().await?;
    Ok(Some(decided))
}

/// Locks the job's state, then looks, in later statements. `None` when another instance has it, or it is another's.
async fn view(connection: &Connection, request: &DecideRequest) -> Result<Option<DecideView>, PostgresError> {
    let job_id = request.job_id.as_str();
    let (lag, limit) = (millis(request.lag), i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_add(1));
    let job: Param<'_> = (&job_id, Type::TEXT);
    let rows_of = [job.clone(), (&lag, Type::INT8), (&limit, Type::INT8)];
    // Sent at once, and run one after the other: the looks come after the lock.
    let (locked, seen, rows) = tokio::join!(
        biased;
        connection.query(Query::DecideLock, std::slice::from_ref(&job)),
        connection.query(Query::DecideView, std::slice::from_ref(&job)),
        connection.query(Query::DecideRows, &rows_of),
    );
    let (locked, seen, rows) = (locked?, seen?, rows?);
    let Some(state) = locked.first().map(row::state).transpose()? else { return Ok(None) };
    if state.revision != request.revision {
        return Ok(None);
    }
    Ok(Some(seen_of(request, state, &seen[0], &rows)?))
}

fn seen_of(request: &DecideRequest, state: JobState, seen: &Row, rows: &[Row]) -> Result<DecideView, PostgresError> {
    let now: DateTime<Utc> = seen.try_get("now")?;
    let lag = TimeDelta::from_std(request.lag).unwrap_or(TimeDelta::MAX);
    let mut until = now.checked_sub_signed(lag).unwrap_or(DateTime::<Utc>::MIN_UTC).max(state.watermark);
    let decided = |row: &Row| {
        Ok(DecidedRow { scheduled_at: row.try_get("scheduled_at")?, missed_from: row.try_get("missed_from")? })
    };
    let mut rows = rows.iter().map(decided).collect::<Result<Vec<_>, PostgresError>>()?;
    if rows.len() > request.limit {
        rows.truncate(request.limit);
        until = rows.last().map_or(state.watermark, |row| row.scheduled_at.min(until));
    }
    // The rows were read a moment after the clock; none of them is beyond the view.
    rows.retain(|row| row.missed_from.unwrap_or(row.scheduled_at) <= until);
    let may_grow = |reason: &Reason| matches!(reason, Reason::Deadline | Reason::Coalesced | Reason::CatchUpLimit);
    let newest_range = match row::reason(seen, "range_reason")?.filter(may_grow) {
        None => None,
        Some(reason) => Some(RangeRow {
            execution_id: ExecutionId(seen.try_get("range_id")?),
            reason,
            missed_from: seen.try_get("missed_from")?,
            scheduled_at: seen.try_get("scheduled_at")?,
        }),
    };
    Ok(DecideView { now, state, until, rows, newest_range, held: seen.try_get("held")? })
}

/// Writes the plan; the watermark goes no further than what was really decided.
async fn apply(
    connection: &Connection,
    job_id: &JobId,
    view: &DecideView,
    plan: DecisionPlan,
) -> Result<Decided, PostgresError> {
    let mut decided = Decided::nothing(view.now, view.state.watermark);
    let mut watermark = plan.watermark;
    let (claims, others): (Vec<_>, Vec<_>) = plan.rows.into_iter().partition(|row| matches!(row, PlannedRow::Claim(_)));
    if let Some(grow) = plan.grow {
        grow_range(connection, grow).await?;
        decided.missed += grow.added;
    }
    write_rows(connection, job_id, others, &mut watermark, &mut decided).await?;
    let claims: Vec<Claim> = claims
        .into_iter()
        .filter_map(|row| match row {
            PlannedRow::Claim(claim) => Some(claim),
            _ => None,
        })
        .collect();
    if !claims.is_empty() {
        let outcomes = decide_claims(connection, &claims, false).await?;
        for (claim, outcome) in claims.into_iter().zip(outcomes) {
            if matches!(outcome, ClaimOutcome::Refused(refusal) if refusal != Refusal::AlreadyDecided) {
                stay_below(&mut watermark, claim.scheduled_at);
            }
            decided.claims.push((claim, outcome));
        }
    }
    if let Some(to) = watermark.filter(|to| *to > view.state.watermark) {
        let params: [Param<'_>; 2] = [(&job_id.as_str(), Type::TEXT), (&to, Type::TIMESTAMPTZ)];
        connection.query(Query::DecideWatermark, &params).await?;
        decided.watermark = to;
    }
    Ok(decided)
}

/// Nothing was written of this occurrence: it stays above the watermark, for the next pass.
fn stay_below(watermark: &mut Option<DateTime<Utc>>, occurrence: DateTime<Utc>) {
    *watermark = watermark.map(|to| to.min(occurrence - TimeDelta::milliseconds(1)));
}

async fn grow_range(connection: &Connection, grow: GrowRange) -> Result<(), PostgresError> {
    let key = OccurrenceKey::scheduled(grow.scheduled_at);
    let added = i64::try_from(grow.added).unwrap_or(i64::MAX);
    let params: [Param<'_>; 4] = [
        (&grow.execution_id.0, Type::INT8),
        (&key.as_str(), Type::TEXT),
        (&grow.scheduled_at, Type::TIMESTAMPTZ),
        (&added, Type::INT8),
    ];
    if connection.query(Query::DecideGrow, &params).await?.is_empty() {
        return Err(PostgresError::Row { what: "range row", value: grow.execution_id.to_string() });
    }
    Ok(())
}

/// A planned row that is no claim, as the statement takes it.
struct NewRow {
    occurrence: OccurrenceKey,
    max_attempts: i32,
    origin: Origin,
    status: Status,
    reason: Option<Reason>,
    scheduled_at: DateTime<Utc>,
    missed_from: Option<DateTime<Utc>>,
    missed_count: Option<i64>,
}

impl NewRow {
    fn of(planned: PlannedRow) -> Option<Self> {
        match planned {
            PlannedRow::CatchUp { occurrence, scheduled_at, max_attempts } => Some(Self {
                occurrence,
                max_attempts: max_attempts.try_into().unwrap_or(i32::MAX),
                origin: Origin::CatchUp,
                status: Status::Pending,
                reason: None,
                scheduled_at,
                missed_from: None,
                missed_count: None,
            }),
            PlannedRow::Range { status, reason, missed_from, scheduled_at, missed_count } => Some(Self {
                occurrence: OccurrenceKey::scheduled(scheduled_at),
                max_attempts: 1,
                origin: Origin::Schedule,
                status,
                reason: Some(reason),
                scheduled_at,
                missed_from: Some(missed_from),
                missed_count: Some(missed_count.try_into().unwrap_or(i64::MAX)),
            }),
            _ => None,
        }
    }
}

async fn write_rows(
    connection: &Connection,
    job_id: &JobId,
    planned: Vec<PlannedRow>,
    watermark: &mut Option<DateTime<Utc>>,
    decided: &mut Decided,
) -> Result<(), PostgresError> {
    let rows: Vec<NewRow> = planned.into_iter().filter_map(NewRow::of).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let occurrences: Vec<&str> = rows.iter().map(|row| row.occurrence.as_str()).collect();
    let attempts: Vec<i32> = rows.iter().map(|row| row.max_attempts).collect();
    let origins: Vec<&str> = rows.iter().map(|row| row.origin.as_str()).collect();
    let statuses: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    let reasons: Vec<Option<&str>> = rows.iter().map(|row| row.reason.map(Reason::as_str)).collect();
    let instants: Vec<DateTime<Utc>> = rows.iter().map(|row| row.scheduled_at).collect();
    let from: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.missed_from).collect();
    let counts: Vec<Option<i64>> = rows.iter().map(|row| row.missed_count).collect();
    let params: [Param<'_>; 9] = [
        (&job_id.as_str(), Type::TEXT),
        (&occurrences, Type::TEXT_ARRAY),
        (&attempts, Type::INT4_ARRAY),
        (&origins, Type::TEXT_ARRAY),
        (&statuses, Type::TEXT_ARRAY),
        (&reasons, Type::TEXT_ARRAY),
        (&instants, Type::TIMESTAMPTZ_ARRAY),
        (&from, Type::TIMESTAMPTZ_ARRAY),
        (&counts, Type::INT8_ARRAY),
    ];
    let written = connection.query(Query::DecideInsert, &params).await?;
    let written = written
        .iter()
        .map(|row| row.try_get("occurrence"))
        .collect::<Result<std::collections::HashSet<String>, _>>()?;
    for row in rows {
        match (written.contains(row.occurrence.as_str()), row.status) {
            (true, Status::Pending) => decided.caught_up += 1,
            (true, Status::Missed) => decided.missed += row.missed_count.unwrap_or(0).unsigned_abs(),
            (true, _) => {}
            // Another row has its key, and what else the range covers is not decided by that.
            (false, _) => {
                if let Some(from) = row.missed_from.filter(|from| *from < row.scheduled_at) {
                    stay_below(watermark, from);
                }
            }
        }
    }
    Ok(())
}
