//! A pass over one job's undecided occurrences (R12).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    identity::{ExecutionId, JobId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{
        Claim, DecideRequest, DecideView, Decided, DecidedRow, DecisionPlan, GrowRange, JobState, PlannedRow, Planner,
        RangeRow,
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

/// How many rows a view holds at most where nobody says.
const VIEW_LIMIT: usize = 10_000;

pub(crate) async fn decide(
    connections: &Connections,
    request: &DecideRequest,
    planner: &dyn Planner,
) -> Result<Option<Decided>, PostgresError> {
    let connection = connections.get().await?;
    connection.begin().await?;
    let lag = request.lag;
    let look = Look { job_id: &request.job_id, lag, until: None, limit: request.limit, is_asked_for: false };
    let Some(view) = look.view(&connection).await?.filter(|view| view.state.revision == request.revision) else {
        connection.rollback().await?;
        return Ok(None);
    };
    let plan = planner.plan(&view);
    if plan.is_empty() {
        connection.rollback().await?;
        return Ok(Some(Decided::nothing(view.now, view.state.watermark)));
    }
    let decided = apply(&connection, &view, plan).await?;
    connection.commit().await?;
    Ok(Some(decided))
}

/// A job whose occurrences are decided, its state locked.
pub(crate) struct Owed {
    /// What was decided.
    pub(crate) decided: Decided,
    /// The job's state now.
    pub(crate) state: JobState,
    /// Up to when.
    pub(crate) until: DateTime<Utc>,
}

/// Decides what a job owes up to now in this transaction, pass after pass; the planner sees the job's current revision.
/// `None` when the job is unknown.
pub(crate) async fn owed(
    connection: &Connection,
    job_id: &JobId,
    planner: &dyn Planner,
) -> Result<Option<Owed>, PostgresError> {
    let mut look = Look { job_id, lag: Duration::ZERO, until: None, limit: VIEW_LIMIT, is_asked_for: true };
    let mut found: Option<Owed> = None;
    loop {
        let Some(view) = look.view(connection).await? else { return Ok(None) };
        // The first pass says what now is: passes that follow reach no further.
        let until = *look.until.get_or_insert(view.now);
        let plan = planner.plan(&view);
        let pass = apply(connection, &view, plan).await?;
        let goes_on = pass.ended_pause || pass.watermark > view.state.watermark && pass.watermark < until;
        let mut state = view.state;
        state.watermark = pass.watermark;
        state.pause = state.pause.filter(|_| !pass.ended_pause);
        let owed = match found.take() {
            None => Owed { decided: pass, state, until },
            Some(mut earlier) => {
                earlier.decided.add(pass);
                Owed { state, ..earlier }
            }
        };
        if !goes_on {
            return Ok(Some(owed));
        }
        found = Some(owed);
    }
}

/// What a pass looks at.
struct Look<'a> {
    job_id: &'a JobId,
    lag: Duration,
    /// Where the pass ends at the latest.
    until: Option<DateTime<Utc>>,
    limit: usize,
    /// Whether somebody asks for it: it waits for the job's lock, and sees the current revision.
    is_asked_for: bool,
}

impl Look<'_> {
    /// Locks the job's state, then looks, in later statements. `None` when another instance has it, or nobody.
    async fn view(&self, connection: &Connection) -> Result<Option<DecideView>, PostgresError> {
        let job_id = self.job_id.as_str();
        let (lag, limit) = (millis(self.lag), i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1));
        let job: Param<'_> = (&job_id, Type::TEXT);
        let job = std::slice::from_ref(&job);
        let rows_of = [job[0].clone(), (&lag, Type::INT8), (&limit, Type::INT8)];
        let lock = if self.is_asked_for { Query::DecideLockWaiting } else { Query::DecideLock };
        let revision =
            async { if self.is_asked_for { connection.query(Query::Revision, job).await } else { Ok(Vec::new()) } };
        // Sent at once, and run one after the other: the looks come after the lock.
        let (locked, seen, rows, revision) = tokio::join!(
            biased;
            connection.query(lock, job),
            connection.query(Query::DecideView, job),
            connection.query(Query::DecideRows, &rows_of),
            revision,
        );
        let (locked, seen, rows, revision) = (locked?, seen?, rows?, revision?);
        let Some(state) = locked.first().map(row::state).transpose()? else { return Ok(None) };
        let mut view = self.seen(state, &seen[0], &rows)?;
        view.revision = revision.first().map(row::revision).transpose()?;
        Ok(Some(view))
    }

    fn seen(&self, state: JobState, seen: &Row, rows: &[Row]) -> Result<DecideView, PostgresError> {
        let now: DateTime<Utc> = seen.try_get("now")?;
        let lag = TimeDelta::from_std(self.lag).unwrap_or(TimeDelta::MAX);
        let mut until = now.checked_sub_signed(lag).unwrap_or(DateTime::<Utc>::MIN_UTC);
        until = self.until.map_or(until, |end| end.min(until)).max(state.watermark);
        let decided = |row: &Row| {
            Ok(DecidedRow { scheduled_at: row.try_get("scheduled_at")?, missed_from: row.try_get("missed_from")? })
        };
        let mut rows = rows.iter().map(decided).collect::<Result<Vec<_>, PostgresError>>()?;
        let is_cut = rows.len() > self.limit;
        if is_cut {
            rows.truncate(self.limit);
            until = rows.last().map_or(state.watermark, |row| row.scheduled_at.min(until));
        }
        // The rows were read a moment after the clock; none of them is beyond the view.
        rows.retain(|row| row.missed_from.unwrap_or(row.scheduled_at) <= until);
        let newest_range = match row::reason(seen, "range_reason")?.filter(|reason| reason.is_of_ranges()) {
            None => None,
            Some(reason) => Some(RangeRow {
                execution_id: ExecutionId(seen.try_get("range_id")?),
                reason,
                missed_from: seen.try_get("missed_from")?,
                scheduled_at: seen.try_get("scheduled_at")?,
            }),
        };
        Ok(DecideView { now, state, revision: None, until, is_cut, rows, newest_range, held: seen.try_get("held")? })
    }
}

/// Writes the plan; the watermark goes no further than what was really decided.
async fn apply(connection: &Connection, view: &DecideView, plan: DecisionPlan) -> Result<Decided, PostgresError> {
    let job_id = &view.state.job_id;
    let mut decided = Decided::nothing(view.now, view.state.watermark);
    let mut watermark = plan.watermark;
    if plan.ends_pause {
        connection.query(Query::Resume, &[(&job_id.as_str(), Type::TEXT)]).await?;
        decided.ended_pause = view.state.pause.is_some();
    }
    let (claims, others): (Vec<_>, Vec<_>) = plan.rows.into_iter().partition(|row| matches!(row, PlannedRow::Claim(_)));
    if let Some(grow) = plan.grow {
        grow_range(connection, grow).await?;
        let reason = view.newest_range.filter(|range| range.execution_id == grow.execution_id);
        decided.count_range(reason.map_or(Reason::Deadline, |range| range.reason), grow.added);
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
            if outcome.is_undecided() {
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
    not_before: DateTime<Utc>,
    missed_from: Option<DateTime<Utc>>,
    missed_count: Option<i64>,
}

impl NewRow {
    fn of(planned: PlannedRow) -> Option<Self> {
        let pending = |occurrence, max_attempts: u32, origin, scheduled_at| Self {
            occurrence,
            max_attempts: max_attempts.try_into().unwrap_or(i32::MAX),
            origin,
            status: Status::Pending,
            reason: None,
            scheduled_at,
            not_before: scheduled_at,
            missed_from: None,
            missed_count: None,
        };
        match planned {
            PlannedRow::CatchUp { occurrence, scheduled_at, max_attempts } => {
                Some(pending(occurrence, max_attempts, Origin::CatchUp, scheduled_at))
            }
            PlannedRow::Waiting { occurrence, scheduled_at, not_before, max_attempts } => {
                Some(Self { not_before, ..pending(occurrence, max_attempts, Origin::Schedule, scheduled_at) })
            }
            PlannedRow::Range { status, reason, missed_from, scheduled_at, missed_count } => Some(Self {
                occurrence: OccurrenceKey::scheduled(scheduled_at),
                max_attempts: 1,
                origin: Origin::Schedule,
                status,
                reason: Some(reason),
                scheduled_at,
                not_before: scheduled_at,
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
    let starts: Vec<DateTime<Utc>> = rows.iter().map(|row| row.not_before).collect();
    let params: [Param<'_>; 10] = [
        (&job_id.as_str(), Type::TEXT),
        (&occurrences, Type::TEXT_ARRAY),
        (&attempts, Type::INT4_ARRAY),
        (&origins, Type::TEXT_ARRAY),
        (&statuses, Type::TEXT_ARRAY),
        (&reasons, Type::TEXT_ARRAY),
        (&instants, Type::TIMESTAMPTZ_ARRAY),
        (&from, Type::TIMESTAMPTZ_ARRAY),
        (&counts, Type::INT8_ARRAY),
        (&starts, Type::TIMESTAMPTZ_ARRAY),
    ];
    let written = connection.query(Query::DecideInsert, &params).await?;
    let written = written
        .iter()
        .map(|row| row.try_get("occurrence"))
        .collect::<Result<std::collections::HashSet<String>, _>>()?;
    for row in rows {
        match (written.contains(row.occurrence.as_str()), row.reason) {
            (true, None) if row.origin == Origin::Schedule => decided.waiting += 1,
            (true, None) => decided.caught_up += 1,
            (true, Some(reason)) => decided.count_range(reason, row.missed_count.unwrap_or(0).unsigned_abs()),
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
