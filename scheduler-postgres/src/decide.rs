//! Passes over jobs' undecided occurrences (R12).

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    identity::{ExecutionId, JobId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{Claim, DecideView, Decided, Deciding, DecisionPlan, GrowRange, JobState, PlannedRow, Planner, RangeRow},
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

/// One pass over each of these jobs, in one transaction.
pub(crate) async fn decide(
    connections: &Connections,
    passes: &[Deciding<'_>],
) -> Result<Vec<Option<Decided>>, PostgresError> {
    if passes.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connections.get().await?;
    connection.begin().await?;
    let look = |pass: &Deciding<'_>| {
        let request = &pass.request;
        Look { job_id: pass.request.job_id.clone(), lag: request.lag, until: None, limit: request.limit }
    };
    let looks: Vec<Look> = passes.iter().map(look).collect();
    let views = see(&connection, Query::DecideLock, &looks).await?;
    let mut nth = Vec::new();
    let mut planned = Vec::new();
    for (at, (view, pass)) in views.into_iter().zip(passes).enumerate() {
        if let Some(view) = view.filter(|view| view.state.revision == pass.request.revision) {
            nth.push(at);
            let plan = pass.planner.plan(&view);
            planned.push((view, plan));
            // After a long outage each plan covers thousands of occurrences: renewals go on between them.
            tokio::task::yield_now().await;
        }
    }
    let writes = planned.iter().any(|(_, plan)| !plan.is_empty());
    let applied = apply(&connection, planned).await?;
    if writes {
        connection.commit().await?;
    } else {
        connection.rollback().await?;
    }
    let mut decided = vec![None; passes.len()];
    for (nth, (_, one)) in nth.into_iter().zip(applied) {
        decided[nth] = Some(one);
    }
    Ok(decided)
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
    let mut look = Look { job_id: job_id.clone(), lag: Duration::ZERO, until: None, limit: VIEW_LIMIT };
    let mut found: Option<Owed> = None;
    let id = job_id.as_str();
    loop {
        let views = see(connection, Query::DecideLockWaiting, std::slice::from_ref(&look)).await?;
        let Some(mut view) = views.into_iter().flatten().next() else { return Ok(None) };
        let revision = connection.query(Query::Revision, &[(&id, Type::TEXT)]).await?;
        view.revision = revision.first().map(row::revision).transpose()?;
        // The first pass says what now is: passes that follow reach no further.
        let until = *look.until.get_or_insert(view.now);
        let plan = planner.plan(&view);
        let Some((view, pass)) = apply(connection, vec![(view, plan)]).await?.pop() else { return Ok(None) };
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
struct Look {
    job_id: JobId,
    lag: Duration,
    /// Where the pass ends at the latest.
    until: Option<DateTime<Utc>>,
    limit: usize,
}

/// Locks the jobs' states, then looks, in a later statement. `None` of a job when another instance has it, or nobody.
async fn see(connection: &Connection, lock: Query, looks: &[Look]) -> Result<Vec<Option<DecideView>>, PostgresError> {
    let ids: Vec<&str> = looks.iter().map(|look| look.job_id.as_str()).collect();
    let lags: Vec<i64> = looks.iter().map(|look| millis(look.lag)).collect();
    let most = |look: &Look| i64::try_from(look.limit).unwrap_or(i64::MAX).saturating_add(1);
    let most: Vec<i64> = looks.iter().map(most).collect();
    let jobs: Param<'_> = (&ids, Type::TEXT_ARRAY);
    let view = [jobs.clone(), (&lags, Type::INT8_ARRAY), (&most, Type::INT8_ARRAY)];
    // Sent at once, and run one after the other: the look comes after the lock.
    let (locked, seen) = tokio::join!(
        biased;
        connection.query(lock, std::slice::from_ref(&jobs)),
        connection.query(Query::DecideView, &view),
    );
    let states = locked?.iter().map(row::state).collect::<Result<Vec<_>, _>>()?;
    let mut states: HashMap<JobId, JobState> = states.into_iter().map(|state| (state.job_id.clone(), state)).collect();
    let seen = seen?;
    let seen: HashMap<&str, &Row> =
        seen.iter().map(|row| Ok((row.try_get("job_id")?, row))).collect::<Result<_, PostgresError>>()?;
    let view = |look: &Look| match (states.remove(&look.job_id), seen.get(look.job_id.as_str())) {
        (Some(state), Some(seen)) => look.view(state, seen).map(Some),
        _ => Ok(None),
    };
    looks.iter().map(view).collect()
}

impl Look {
    fn view(&self, state: JobState, seen: &Row) -> Result<DecideView, PostgresError> {
        let now: DateTime<Utc> = seen.try_get("now")?;
        let lag = TimeDelta::from_std(self.lag).unwrap_or(TimeDelta::MAX);
        let mut until = now.checked_sub_signed(lag).unwrap_or(DateTime::<Utc>::MIN_UTC);
        until = self.until.map_or(until, |end| end.min(until)).max(state.watermark);
        let (mut rows, is_cut) = row::decided_rows(seen, ("seen", "seen_from"), self.limit)?;
        if is_cut {
            until = rows.last().map_or(state.watermark, |row| row.scheduled_at.min(until));
        }
        // A range may begin within the view and end beyond it.
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

/// A job's pass while its plan is written.
struct Pass {
    view: DecideView,
    decided: Decided,
    watermark: Option<DateTime<Utc>>,
    rows: Vec<NewRow>,
    claims: Vec<Claim>,
    grow: Option<GrowRange>,
    ends_pause: bool,
}

impl Pass {
    fn new(view: DecideView, plan: DecisionPlan) -> Self {
        let mut pass = Self {
            decided: Decided::nothing(view.now, view.state.watermark),
            view,
            watermark: plan.watermark,
            rows: Vec::new(),
            claims: Vec::new(),
            grow: plan.grow,
            ends_pause: plan.ends_pause,
        };
        for planned in plan.rows {
            match planned {
                PlannedRow::Claim(claim) => pass.claims.push(claim),
                other => pass.rows.extend(NewRow::of(other)),
            }
        }
        pass
    }

    fn job_id(&self) -> &str {
        self.view.state.job_id.as_str()
    }

    /// Nothing was written of this occurrence: it stays above the watermark, for the next pass.
    fn stay_below(&mut self, occurrence: DateTime<Utc>) {
        self.watermark = self.watermark.map(|to| to.min(occurrence - TimeDelta::milliseconds(1)));
    }

    /// Where the watermark goes, if it goes on.
    fn moves_to(&self) -> Option<DateTime<Utc>> {
        self.watermark.filter(|to| *to > self.view.state.watermark)
    }
}

/// Writes the plans of locked jobs, a statement for each kind of row; a watermark goes no further than what was really
/// decided.
async fn apply(
    connection: &Connection,
    planned: Vec<(DecideView, DecisionPlan)>,
) -> Result<Vec<(DecideView, Decided)>, PostgresError> {
    let mut passes: Vec<Pass> = planned.into_iter().map(|(view, plan)| Pass::new(view, plan)).collect();
    end_pauses(connection, &mut passes).await?;
    grow_ranges(connection, &mut passes).await?;
    write_rows(connection, &mut passes).await?;
    claim(connection, &mut passes).await?;
    move_watermarks(connection, &mut passes).await?;
    Ok(passes.into_iter().map(|pass| (pass.view, pass.decided)).collect())
}

async fn end_pauses(connection: &Connection, passes: &mut [Pass]) -> Result<(), PostgresError> {
    let jobs: Vec<&str> = passes.iter().filter(|pass| pass.ends_pause).map(Pass::job_id).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    connection.query(Query::Resume, &[(&jobs, Type::TEXT_ARRAY)]).await?;
    for pass in passes.iter_mut().filter(|pass| pass.ends_pause) {
        pass.decided.ended_pause = pass.view.state.pause.is_some();
    }
    Ok(())
}

async fn grow_ranges(connection: &Connection, passes: &mut [Pass]) -> Result<(), PostgresError> {
    let grown: Vec<GrowRange> = passes.iter().filter_map(|pass| pass.grow).collect();
    if grown.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = grown.iter().map(|grow| grow.execution_id.0).collect();
    let keys: Vec<OccurrenceKey> = grown.iter().map(|grow| OccurrenceKey::scheduled(grow.scheduled_at)).collect();
    let keys: Vec<&str> = keys.iter().map(OccurrenceKey::as_str).collect();
    let ends: Vec<DateTime<Utc>> = grown.iter().map(|grow| grow.scheduled_at).collect();
    let added: Vec<i64> = grown.iter().map(|grow| i64::try_from(grow.added).unwrap_or(i64::MAX)).collect();
    let params: [Param<'_>; 4] = [
        (&ids, Type::INT8_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (&ends, Type::TIMESTAMPTZ_ARRAY),
        (&added, Type::INT8_ARRAY),
    ];
    let written = connection.query(Query::DecideGrow, &params).await?;
    let written = written.iter().map(|row| row.try_get("id")).collect::<Result<HashSet<i64>, _>>()?;
    if let Some(missing) = ids.iter().find(|id| !written.contains(id)) {
        return Err(PostgresError::Row { what: "range row", value: missing.to_string() });
    }
    for pass in passes {
        if let Some(grow) = pass.grow {
            let range = pass.view.newest_range.filter(|range| range.execution_id == grow.execution_id);
            pass.decided.count_range(range.map_or(Reason::Deadline, |range| range.reason), grow.added);
        }
    }
    Ok(())
}

async fn claim(connection: &Connection, passes: &mut [Pass]) -> Result<(), PostgresError> {
    let claims: Vec<Claim> = passes.iter_mut().flat_map(|pass| pass.claims.iter().cloned()).collect();
    if claims.is_empty() {
        return Ok(());
    }
    let mut outcomes = decide_claims(connection, &claims, false).await?.into_iter();
    for pass in passes {
        for claim in std::mem::take(&mut pass.claims) {
            let Some(outcome) = outcomes.next() else { break };
            if outcome.is_undecided() {
                pass.stay_below(claim.scheduled_at);
            }
            pass.decided.claims.push((claim, outcome));
        }
    }
    Ok(())
}

async fn move_watermarks(connection: &Connection, passes: &mut [Pass]) -> Result<(), PostgresError> {
    let moved = |pass: &mut Pass| {
        pass.decided.watermark = pass.moves_to()?;
        Some(pass.decided.watermark)
    };
    let to: Vec<DateTime<Utc>> = passes.iter_mut().filter_map(moved).collect();
    let jobs: Vec<&str> = passes.iter().filter(|pass| pass.moves_to().is_some()).map(Pass::job_id).collect();
    if !jobs.is_empty() {
        let params: [Param<'_>; 2] = [(&jobs, Type::TEXT_ARRAY), (&to, Type::TIMESTAMPTZ_ARRAY)];
        connection.query(Query::DecideWatermark, &params).await?;
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

async fn write_rows(connection: &Connection, passes: &mut [Pass]) -> Result<(), PostgresError> {
    let rows: Vec<(&str, &NewRow)> =
        passes.iter().flat_map(|pass| pass.rows.iter().map(|row| (pass.job_id(), row))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let jobs: Vec<&str> = rows.iter().map(|(job, _)| *job).collect();
    let occurrences: Vec<&str> = rows.iter().map(|(_, row)| row.occurrence.as_str()).collect();
    let attempts: Vec<i32> = rows.iter().map(|(_, row)| row.max_attempts).collect();
    let origins: Vec<&str> = rows.iter().map(|(_, row)| row.origin.as_str()).collect();
    let statuses: Vec<&str> = rows.iter().map(|(_, row)| row.status.as_str()).collect();
    let reasons: Vec<Option<&str>> = rows.iter().map(|(_, row)| row.reason.map(Reason::as_str)).collect();
    let instants: Vec<DateTime<Utc>> = rows.iter().map(|(_, row)| row.scheduled_at).collect();
    let from: Vec<Option<DateTime<Utc>>> = rows.iter().map(|(_, row)| row.missed_from).collect();
    let counts: Vec<Option<i64>> = rows.iter().map(|(_, row)| row.missed_count).collect();
    let starts: Vec<DateTime<Utc>> = rows.iter().map(|(_, row)| row.not_before).collect();
    let params: [Param<'_>; 10] = [
        (&jobs, Type::TEXT_ARRAY),
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
    let key = |row: &Row| Ok((row.try_get("job_id")?, row.try_get("occurrence")?));
    let written = written.iter().map(key).collect::<Result<HashSet<(String, String)>, PostgresError>>()?;
    for pass in passes {
        for row in std::mem::take(&mut pass.rows) {
            let is_written = written.contains(&(pass.job_id().to_owned(), row.occurrence.as_str().to_owned()));
            match (is_written, row.reason) {
                (true, None) if row.origin == Origin::Schedule => pass.decided.waiting += 1,
                (true, None) => pass.decided.caught_up += 1,
                (true, Some(reason)) => {
                    pass.decided.count_range(reason, row.missed_count.unwrap_or(0).unsigned_abs());
                }
                // Another row has its key, and what else the range covers is not decided by that.
                (false, _) => {
                    if let Some(from) = row.missed_from.filter(|from| *from < row.scheduled_at) {
                        pass.stay_below(from);
                    }
                }
            }
        }
    }
    Ok(())
}
