//! Jobs: what is shown of one, and the endpoints that read them.

use axum::{extract::State, http::StatusCode, response::Response};
use scheduler_core::{JobStatus, SchedulerHandle};
use serde::Serialize;

use crate::{caller::Caller, envelope::Envelope, error::ApiError, execution::ExecutionView, path::Segment, time};

/// A job as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct JobView {
    job_id: String,
    name: String,
    description: Option<String>,
    trigger: String,
    next_run: Option<String>,
    enabled: bool,
    paused: bool,
    tags: Vec<String>,
    latest_execution: Option<ExecutionView>,
}

impl From<JobStatus> for JobView {
    fn from(status: JobStatus) -> Self {
        let settings = status.job.settings();
        let paused = status.is_paused();
        Self {
            job_id: settings.id.to_string(),
            name: settings.name.clone(),
            description: settings.description.clone(),
            trigger: settings.trigger.to_string(),
            next_run: status.next_run.as_ref().map(time::text),
            enabled: settings.enabled,
            paused,
            tags: settings.tags.clone(),
            latest_execution: status.latest_execution.map(|execution| ExecutionView::new(execution, settings.zone())),
        }
    }
}

/// `GET /`
pub(crate) async fn list(State(handle): State<SchedulerHandle>, caller: Caller) -> Result<Response, ApiError> {
    let seen = caller.scope().await?;
    let is_seen = |status: &JobStatus| seen.as_ref().is_none_or(|seen| seen.contains(&status.job.settings().id));
    let jobs: Vec<JobView> = handle.jobs().await?.into_iter().filter(is_seen).map(JobView::from).collect();
    Ok(Envelope::success(format!("{} jobs", jobs.len()), jobs).into_response(StatusCode::OK))
}

/// `GET /{job_id}`
pub(crate) async fn one(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
) -> Result<Response, ApiError> {
    let id = &caller.definition(job_id).await?.settings().id;
    let status = handle.job(id).await?.ok_or_else(ApiError::no_such_job)?;
    Ok(Envelope::success(format!("job `{id}`"), JobView::from(status)).into_response(StatusCode::OK))
}
