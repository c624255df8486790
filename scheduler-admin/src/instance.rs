//! The instances that share the store.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use scheduler_core::{SchedulerHandle, job::JobSettings, store::InstanceRecord};
use scheduler_cron::NamedZone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{caller::Caller, envelope::Envelope, error::ApiError, time};

/// How long an instance may be silent and still counts as alive.
const SILENCE: Duration = JobSettings::DEFAULT_LEASE;

/// An instance as it is shown; instants are in UTC.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instance)]
pub(crate) struct InstanceView {
    instance: String,
    host: String,
    pid: u32,
    version: String,
    /// How far its clock is ahead of the store's, in milliseconds.
    clock_offset_ms: i64,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    seen_at: String,
    /// Whether its last heartbeat is no more than a lease older than the newest of all.
    alive: bool,
    /// Whether it is the one that answers.
    answers: bool,
}

impl InstanceView {
    fn of(handle: &SchedulerHandle, record: &InstanceRecord, newest: &InstanceRecord) -> Self {
        let heartbeat = &record.heartbeat;
        Self {
            instance: heartbeat.instance.to_string(),
            host: heartbeat.host.clone(),
            pid: heartbeat.pid,
            version: heartbeat.version.clone(),
            clock_offset_ms: heartbeat.clock_offset_ms,
            started_at: time::text_in(record.started_at, NamedZone::UTC),
            seen_at: time::text_in(record.seen_at, NamedZone::UTC),
            alive: is_alive(record, newest),
            answers: heartbeat.instance == handle.instance(),
        }
    }

    /// All instances, newest heartbeat first.
    async fn all(handle: &SchedulerHandle) -> Result<Vec<Self>, ApiError> {
        let records = handle.instances().await?;
        Ok(records.iter().map(|record| Self::of(handle, record, &records[0])).collect())
    }
}

/// Whether an instance's last heartbeat is no more than a lease older than the newest of all.
pub(crate) fn is_alive(record: &InstanceRecord, newest: &InstanceRecord) -> bool {
    newest.seen_at.signed_duration_since(record.seen_at).to_std().unwrap_or_default() <= SILENCE
}

/// `GET /instances`
pub(crate) async fn list(State(handle): State<SchedulerHandle>, _: Caller) -> Result<Response, ApiError> {
    let instances = InstanceView::all(&handle).await?;
    Ok(Envelope::success(format!("{} instances", instances.len()), instances).into_response(StatusCode::OK))
}
