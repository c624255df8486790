//! Jobs: what is shown of one, and the endpoints that read them.

use axum::{extract::State, http::StatusCode, response::Response};
use scheduler_core::{JobStatus, SchedulerHandle};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    caller::Caller, envelope::Envelope, error::ApiError, execution::ExecutionView, path::Segment, pause::PauseView,
    time,
};

/// A job as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    job_id: String,
    name: String,
    description: Option<String>,
    trigger: String,
    #[schema(format = DateTime)]
    next_run: Option<String>,
    enabled: bool,
    paused: bool,
    pause: Option<PauseView>,
    tags: Vec<String>,
    latest_execution: Option<ExecutionView>,
}

impl JobView {
    fn of(handle: &SchedulerHandle, status: JobStatus) -> Self {
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
            pause: status.state.as_ref().and_then(|state| PauseView::of(handle, state)),
            tags: settings.tags.clone(),
            latest_execution: status.latest_execution.map(|execution| ExecutionView::new(execution, settings.zone())),
        }
    }
}

/// `GET /`
pub(crate) async fn list(State(handle): State<SchedulerHandle>, caller: Caller) -> Result<Response, ApiError> {
    let seen = caller.scope().await?;
    let is_seen = |status: &JobStatus| seen.as_ref().is_none_or(|seen| seen.contains(&status.job.settings().id));
    let jobs = handle.jobs().await?.into_iter().filter(is_seen);
    let jobs: Vec<_> = jobs.map(|status| JobView::of(&handle, status)).collect();
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
    Ok(Envelope::success(format!("job `{id}`"), JobView::of(&handle, status)).into_response(StatusCode::OK))
}
