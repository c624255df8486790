//! Which jobs there are, and which revision of each is current (R22).

use std::{collections::HashMap, time::Duration};

use scheduler_core::{
    identity::InstanceId,
    store::{Announced, Announcement},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, millis},
    sql::Query,
};

pub(crate) async fn announce(
    connections: &Connections,
    instance: InstanceId,
    jobs: &[Announcement],
    lease: Duration,
) -> Result<Vec<Announced>, PostgresError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connections.get().await?;
    let mut found = look(&connection, jobs).await?;
    if !found.iter().all(is_current) {
        connection.begin().await?;
        switch(&connection, instance, jobs, lease).await?;
        found = look(&connection, jobs).await?;
        note(&connection, instance, &found).await?;
        connection.commit().await?;
    } else {
        note(&connection, instance, &found).await?;
    }
    let announced =
        |found: Option<Announced>| found.ok_or(PostgresError::Row { what: "job's state", value: "nothing".to_owned() });
    found.into_iter().map(announced).collect()
}

fn is_current(found: &Option<Announced>) -> bool {
    found.as_ref().is_some_and(|found| found.current)
}

/// Where each job stands; `None` for one that was never announced.
async fn look(connection: &Connection, jobs: &[Announcement]) -> Result<Vec<Option<Announced>>, PostgresError> {
    let ids: Vec<&str> = jobs.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = jobs.iter().map(|job| job.fingerprint.as_str()).collect();
    let params: [Param<'_>; 2] = [(&ids, Type::TEXT_ARRAY), (&fingerprints, Type::TEXT_ARRAY)];
    let rows = connection.query(Query::AnnounceLook, &params).await?;
    let found = |row: &Row| {
        if row.try_get::<_, Option<i64>>("revision_id")?.is_none() {
            return Ok(None);
        }
        Ok(Some(Announced::new(row::state(row)?, row.try_get("current")?)))
    };
    rows.iter().map(found).collect()
}

/// Makes announced revisions the current ones where they are new, or where nobody has the current one any more.
async fn switch(
    connection: &Connection,
    instance: InstanceId,
    jobs: &[Announcement],
    lease: Duration,
) -> Result<(), PostgresError> {
    // Jobs without a state have no row to lock: instances that make some come one after another.
    connection.query(Query::AnnounceTurn, &[]).await?;
    let ids: Vec<&str> = jobs.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = jobs.iter().map(|job| job.fingerprint.as_str()).collect();
    let rows = connection.query(Query::AnnounceLock, &[(&ids, Type::TEXT_ARRAY)]).await?;
    let mut current: HashMap<String, String> = HashMap::with_capacity(rows.len());
    for row in &rows {
        current.insert(row.try_get("job_id")?, row.try_get("fingerprint")?);
    }
    let lease = millis(lease);
    let params: [Param<'_>; 4] =
        [(&ids, Type::TEXT_ARRAY), (&fingerprints, Type::TEXT_ARRAY), (&lease, Type::INT8), (&instance.0, Type::UUID)];
    let rows = connection.query(Query::AnnounceSuperseded, &params).await?;
    let mut served: HashMap<String, bool> = HashMap::with_capacity(rows.len());
    for row in &rows {
        served.insert(row.try_get("job_id")?, row.try_get("alive")?);
    }
    // Whether it was current before does not count as long as nobody has the one that is.
    let mut new: HashMap<&str, &Announcement> = HashMap::new();
    for job in jobs {
        let id = job.job_id.as_str();
        if current.get(id) != Some(&job.fingerprint) && !served.get(id).copied().unwrap_or(false) {
            new.insert(id, job);
        }
    }
    write(connection, &new.into_values().collect::<Vec<_>>()).await
}

async fn write(connection: &Connection, new: &[&Announcement]) -> Result<(), PostgresError> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = new.iter().map(|job| job.job_id.as_str()).collect();
    let fingerprints: Vec<&str> = new.iter().map(|job| job.fingerprint.as_str()).collect();
    let triggers: Vec<&str> = new.iter().map(|job| job.trigger.as_str()).collect();
    let zones: Vec<Option<&str>> = new.iter().map(|job| job.zone.as_deref()).collect();
    let policies: Vec<&serde_json::Value> = new.iter().map(|job| &job.policies).collect();
    let enabled: Vec<bool> = new.iter().map(|job| job.enabled).collect();
    let params: [Param<'_>; 6] = [
        (&ids, Type::TEXT_ARRAY),
        (&fingerprints, Type::TEXT_ARRAY),
        (&triggers, Type::TEXT_ARRAY),
        (&zones, Type::TEXT_ARRAY),
        (&policies, Type::JSONB_ARRAY),
        (&enabled, Type::BOOL_ARRAY),
    ];
    connection.query(Query::AnnounceSwitch, &params).await?;
    Ok(())
}

/// Notes which current revisions this instance has.
async fn note(connection: &Connection, instance: InstanceId, found: &[Option<Announced>]) -> Result<(), PostgresError> {
    let (current, others): (Vec<_>, Vec<_>) = found.iter().flatten().partition(|found| found.current);
    let revisions = |announced: Vec<&Announced>| announced.iter().map(|found| found.state.revision.0).collect();
    let (current, others): (Vec<i64>, Vec<i64>) = (revisions(current), revisions(others));
    let params: [Param<'_>; 3] = [(&instance.0, Type::UUID), (&current, Type::INT8_ARRAY), (&others, Type::INT8_ARRAY)];
    connection.query(Query::AnnounceNote, &params).await?;
    Ok(())
}
