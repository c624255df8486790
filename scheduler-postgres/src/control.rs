//! Heartbeats, instances and jobs' states.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use scheduler_core::{
    identity::{InstanceId, JobId},
    store::{Heartbeat, InstanceRecord, JobRevision, JobState},
};
use tokio_postgres::types::Type;

use crate::{
    error::PostgresError,
    migrate,
    pool::Connections,
    row::{self, millis, storable},
    sql::Query,
};

pub(crate) async fn check(connections: &Connections) -> Result<(), PostgresError> {
    connections.get().await?.check().await
}

pub(crate) async fn heartbeat(connections: &Connections, beat: &Heartbeat) -> Result<DateTime<Utc>, PostgresError> {
    let connection = connections.get().await?;
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 6] = [
        (&beat.instance.0, Type::UUID),
        (&storable(&beat.host), Type::TEXT),
        (&i64::from(beat.pid), Type::INT8),
        (&storable(&beat.version), Type::TEXT),
        (&beat.clock_offset_ms, Type::INT8),
        (&migrate::known(), Type::INT4),
    ];
    let rows = connection.query(Query::Heartbeat, &params).await?;
    Ok(rows[0].try_get("now")?)
}

pub(crate) async fn leave(connections: &Connections, instance: InstanceId) -> Result<(), PostgresError> {
    connections.get().await?.query(Query::Leave, &[(&instance.0, Type::UUID)]).await?;
    Ok(())
}

pub(crate) async fn states(connections: &Connections, jobs: &[JobId]) -> Result<Vec<JobState>, PostgresError> {
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let rows = connections.get().await?.query(Query::States, &[(&ids, Type::TEXT_ARRAY)]).await?;
    rows.iter().map(row::state).collect()
}

pub(crate) async fn revisions(
    connections: &Connections,
    job_id: &JobId,
) -> Result<Vec<Arc<JobRevision>>, PostgresError> {
    let rows = connections.get().await?.query(Query::Revisions, &[(&job_id.as_str(), Type::TEXT)]).await?;
    rows.iter().map(row::revision).collect()
}

pub(crate) async fn orphaned(connections: &Connections, lease: Duration) -> Result<Vec<JobState>, PostgresError> {
    let rows = connections.get().await?.query(Query::Orphaned, &[(&millis(lease), Type::INT8)]).await?;
    rows.iter().map(row::state).collect()
}

pub(crate) async fn instances(connections: &Connections) -> Result<Vec<InstanceRecord>, PostgresError> {
    let rows = connections.get().await?.query(Query::Instances, &[]).await?;
    let record = |row: &tokio_postgres::Row| {
        Ok(InstanceRecord {
            heartbeat: Heartbeat {
                instance: InstanceId(row.try_get("id")?),
                host: row.try_get("host")?,
                pid: row.try_get::<_, i64>("pid")?.try_into().unwrap_or(0),
                version: row.try_get("version")?,
                clock_offset_ms: row.try_get("clock_offset_ms")?,
            },
            started_at: row.try_get("started_at")?,
            seen_at: row.try_get("seen_at")?,
        })
    };
    rows.iter().map(record).collect()
}
