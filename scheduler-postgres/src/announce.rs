//! Which jobs there are, and which revision of each is current (R22).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use scheduler_core::{
    identity::{InstanceId, JobId, RevisionId},
    store::{AnnounceRequest, Announced, Announcement, DecideView, Decided, JobState, Planner},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    decide,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, millis},
    sql::Query,
};

/// How many jobs are announced in one trip, where they have to be.
const TRIP: usize = 25_000;

pub(crate) async fn announce(
    connections: &Connections,
    request: &AnnounceRequest,
    planner: &dyn Planner,
) -> Result<Vec<Announced>, PostgresError> {
    if request.jobs.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connections.get().await?;
    let announced = announce_on(&connection, request, planner).await;
    announced.map_err(|error| connection.after_writes(error))
}

/// Recognizes what is current already, all of it in one trip; the rest is announced in some.
async fn announce_on(
    connection: &Connection,
    request: &AnnounceRequest,
    planner: &dyn Planner,
) -> Result<Vec<Announced>, PostgresError> {
    let mut announced = recognize(connection, request.instance, &request.jobs).await?;
    let rest: Vec<usize> = (0..request.jobs.len()).filter(|nth| announced[*nth].is_none()).collect();
    for trip in rest.chunks(TRIP) {
        let jobs: Vec<&Announcement> = trip.iter().map(|nth| &request.jobs[*nth]).collect();
        for (nth, answer) in trip.iter().zip(announce_some(connection, request, &jobs, planner).await?) {
            announced[*nth] = Some(answer);
        }
    }
    let unanswered = || PostgresError::Row { what: "job's state", value: "nothing".to_owned() };
    announced.into_iter().map(|answer| answer.ok_or_else(unanswered)).collect()
}

/// The answers to what is current already, and not paused.
async fn recognize(
    connection: &Connection,
    instance: InstanceId,
    jobs: &[Announcement],
) -> Result<Vec<Option<Announced>>, PostgresError> {
    let mut announced = vec![None; jobs.len()];
    let ids: Vec<&str> = jobs.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = jobs.iter().map(|job| job.fingerprint.as_str()).collect();
    let params: [Param<'_>; 3] =
        [(&ids, Type::TEXT_ARRAY), (&fingerprints, Type::TEXT_ARRAY), (&instance.0, Type::UUID)];
    for row in &connection.query(Query::AnnounceKnown, &params).await? {
        let places: Vec<i64> = row.try_get::<_, Option<Vec<i64>>>("nth")?.unwrap_or_default();
        let revisions: Vec<i64> = row.try_get::<_, Option<Vec<i64>>>("revision_id")?.unwrap_or_default();
        let watermarks: Vec<DateTime<Utc>> =
            row.try_get::<_, Option<Vec<DateTime<Utc>>>>("watermark")?.unwrap_or_default();
        let horizons: Vec<Option<DateTime<Utc>>> =
            row.try_get::<_, Option<Vec<Option<DateTime<Utc>>>>>("prune_horizon")?.unwrap_or_default();
        for (((place, revision), watermark), horizon) in places.into_iter().zip(revisions).zip(watermarks).zip(horizons)
        {
            let job = usize::try_from(place - 1).ok().and_then(|nth| Some((announced.get_mut(nth)?, jobs.get(nth)?)));
            if let Some((answer, job)) = job {
                let mut state = JobState::new(job.job_id.clone(), RevisionId(revision), job.enabled, watermark);
                state.prune_horizon = horizon;
                *answer = Some(Announced::new(state, true));
            }
        }
    }
    Ok(announced)
}

/// Announces jobs of which something has changed, or is to be said.
async fn announce_some(
    connection: &Connection,
    request: &AnnounceRequest,
    jobs: &[&Announcement],
    planner: &dyn Planner,
) -> Result<Vec<Announced>, PostgresError> {
    connection.begin().await?;
    let mut decided = switch(connection, request, jobs, planner).await?;
    let found = look(connection, jobs).await?;
    note(connection, request, &found).await?;
    connection.commit().await?;
    let announced = |found: Found| {
        let unwritten = || PostgresError::Row { what: "job's state", value: "nothing".to_owned() };
        let state = found.state.ok_or_else(unwritten)?;
        let decided = decided.remove(state.job_id.as_str()).map(Box::new);
        let mut announced = Announced::new(state, found.current);
        announced.decided = decided;
        Ok(announced)
    };
    found.into_iter().map(announced).collect()
}

/// Where a job stands that was announced.
struct Found {
    /// `None` for a job that was never announced before.
    state: Option<JobState>,
    current: bool,
    /// The newest revision that has the announced fingerprint.
    announced: Option<i64>,
}

async fn look(connection: &Connection, jobs: &[&Announcement]) -> Result<Vec<Found>, PostgresError> {
    let ids: Vec<&str> = jobs.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = jobs.iter().map(|job| job.fingerprint.as_str()).collect();
    let params: [Param<'_>; 2] = [(&ids, Type::TEXT_ARRAY), (&fingerprints, Type::TEXT_ARRAY)];
    let rows = connection.query(Query::AnnounceLook, &params).await?;
    let found = |row: &Row| {
        let is_known = row.try_get::<_, Option<i64>>("revision_id")?.is_some();
        let state = if is_known { Some(row::state(row)?) } else { None };
        Ok(Found { state, current: row.try_get("current")?, announced: row.try_get("announced_id")? })
    };
    rows.iter().map(found).collect()
}

/// Makes announced revisions the current ones where they are new, or where they may come back and nobody has the current
/// one any more. Answers what was owed.
async fn switch(
    connection: &Connection,
    request: &AnnounceRequest,
    jobs: &[&Announcement],
    planner: &dyn Planner,
) -> Result<HashMap<String, Decided>, PostgresError> {
    // Jobs without a state have no row to lock: instances that make some come one after another.
    connection.query(Query::AnnounceTurn, &[]).await?;
    let ids: Vec<&str> = jobs.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = jobs.iter().map(|job| job.fingerprint.as_str()).collect();
    let mut current: HashMap<String, DecideView> = HashMap::new();
    for row in &connection.query(Query::AnnounceLock, &[(&ids, Type::TEXT_ARRAY)]).await? {
        let view = unseen(row)?;
        current.insert(view.state.job_id.as_str().to_owned(), view);
    }
    let lease = millis(request.lease);
    let params: [Param<'_>; 4] = [
        (&ids, Type::TEXT_ARRAY),
        (&fingerprints, Type::TEXT_ARRAY),
        (&lease, Type::INT8),
        (&request.instance.0, Type::UUID),
    ];
    // Of jobs that nobody knows no fingerprint was there before.
    let rows =
        if current.is_empty() { Vec::new() } else { connection.query(Query::AnnounceSuperseded, &params).await? };
    let mut served: HashMap<String, bool> = HashMap::with_capacity(rows.len());
    for row in &rows {
        served.insert(row.try_get("job_id")?, row.try_get("alive")?);
    }
    // Whether it was current before does not count as long as nobody has the one that is.
    let mut new: HashMap<&str, &Announcement> = HashMap::new();
    for job in jobs {
        let id = job.job_id.as_str();
        let is_current = current
            .get(id)
            .and_then(|view| view.revision.as_ref())
            .is_some_and(|revision| *revision.fingerprint == *job.fingerprint);
        let stays = served.get(id).is_some_and(|alive| *alive || !request.may_roll_back);
        if !is_current && !stays {
            new.insert(id, job);
        }
    }
    // In the jobs' order, as everybody takes their locks.
    let mut new: Vec<&Announcement> = new.into_values().collect();
    new.sort_by(|one, other| one.job_id.cmp(&other.job_id));
    let mut decided = HashMap::new();
    let mut watermarks = Vec::with_capacity(new.len());
    for job in &new {
        let Some(view) = current.get(job.job_id.as_str()) else {
            watermarks.push(None);
            continue;
        };
        let (owed, watermark) = decide(connection, view, planner).await?;
        watermarks.push(watermark);
        decided.insert(job.job_id.as_str().to_owned(), owed);
    }
    write(connection, &new, &watermarks).await?;
    Ok(decided)
}

/// A job as the lock found it, before anybody looked for its rows.
fn unseen(row: &Row) -> Result<DecideView, PostgresError> {
    let now = row.try_get("now")?;
    let state = row::state(row)?;
    let until = state.watermark.max(now);
    let revision = Some(row::revision(row)?);
    Ok(DecideView { now, state, revision, until, is_cut: false, rows: vec![], newest_range: None, held: false })
}

/// Decides what a job owes under the revision that was current; the new watermark, where nothing else is to be written.
///
/// What is owed where a job had no rows at all is more than it owes with those it has: a job that owes nothing then, as
/// nearly every one does, is not looked at.
async fn decide(
    connection: &Connection,
    view: &DecideView,
    planner: &dyn Planner,
) -> Result<(Decided, Option<DateTime<Utc>>), PostgresError> {
    let plan = planner.plan(view);
    if plan.rows.is_empty() && plan.grow.is_none() && !plan.ends_pause {
        let watermark = plan.watermark;
        return Ok((Decided::nothing(view.now, watermark.unwrap_or(view.state.watermark)), watermark));
    }
    let owed = decide::owed(connection, &view.state.job_id, planner).await?;
    let owed = owed.map_or_else(|| Decided::nothing(view.now, view.state.watermark), |owed| owed.decided);
    Ok((owed, None))
}

async fn write(
    connection: &Connection,
    new: &[&Announcement],
    watermarks: &[Option<DateTime<Utc>>],
) -> Result<(), PostgresError> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = new.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = new.iter().map(|job| job.fingerprint.as_str()).collect();
    let triggers: Vec<&str> = new.iter().map(|job| job.trigger.as_str()).collect();
    let zones: Vec<Option<&str>> = new.iter().map(|job| job.zone.as_deref()).collect();
    let zone_data: Vec<Option<&str>> = new.iter().map(|job| job.zone_data.as_deref()).collect();
    let policies: Vec<&serde_json::Value> = new.iter().map(|job| &job.policies).collect();
    let enabled: Vec<bool> = new.iter().map(|job| job.enabled).collect();
    let upstreams: Vec<Option<String>> = new.iter().map(|job| upstreams(job)).collect();
    let params: [Param<'_>; 9] = [
        (&ids, Type::TEXT_ARRAY),
        (&fingerprints, Type::TEXT_ARRAY),
        (&triggers, Type::TEXT_ARRAY),
        (&zones, Type::TEXT_ARRAY),
        (&zone_data, Type::TEXT_ARRAY),
        (&policies, Type::JSONB_ARRAY),
        (&enabled, Type::BOOL_ARRAY),
        (&watermarks, Type::TIMESTAMPTZ_ARRAY),
        (&upstreams, Type::TEXT_ARRAY),
    ];
    connection.query(Query::AnnounceSwitch, &params).await?;
    Ok(())
}

/// The jobs that this one runs after, as the statement takes them.
fn upstreams(job: &Announcement) -> Option<String> {
    let upstreams = job.upstreams();
    let ids: Vec<&str> = upstreams.iter().map(JobId::as_str).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// Notes which revisions this instance has, and that it has no other ones that are current.
async fn note(connection: &Connection, request: &AnnounceRequest, found: &[Found]) -> Result<(), PostgresError> {
    let has: Vec<i64> = found.iter().filter_map(|found| found.announced).collect();
    let superseded = found.iter().filter(|found| !found.current);
    let has_not: Vec<i64> = superseded.filter_map(|found| found.state.as_ref()).map(|state| state.revision.0).collect();
    let is_start = !request.may_roll_back;
    let params: [Param<'_>; 4] = [
        (&request.instance.0, Type::UUID),
        (&has, Type::INT8_ARRAY),
        (&has_not, Type::INT8_ARRAY),
        (&is_start, Type::BOOL),
    ];
    connection.query(Query::AnnounceNote, &params).await?;
    Ok(())
}
