//! Pausing a job, and ending its pause.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use scheduler_core::{SchedulerHandle, store::JobState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{caller::Caller, envelope::Envelope, error::ApiError, path::Segment, redact, time};

/// Why, since when and until when a job is paused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pause)]
pub(crate) struct PauseView {
    #[schema(format = DateTime)]
    since: String,
    by: Option<String>,
    reason: Option<String>,
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// Whether a job is paused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PausedJob)]
pub(crate) struct PausedView {
    job_id: String,
    paused: bool,
    pause: Option<PauseView>,
}

impl PauseView {
    pub(crate) fn of(handle: &SchedulerHandle, state: &JobState) -> Option<Self> {
        let time = |at| time::text_in(at, time::zone_of(handle, &state.job_id));
        let pause = state.pause.as_ref()?;
        let (by, reason) = (pause.by.clone(), redact::option(pause.reason.clone()));
        Some(Self { since: time(pause.at), by, reason, until: pause.until.map(time) })
    }
}

/// `POST /{job_id}/pause`
pub(crate) async fn pause(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller.job_id(job_id).await?;
    let mut fields = caller.body(request).await?;
    let (reason, until) = (fields.reason()?, fields.instant("until")?);
    let state = handle.pause(&id, &caller.actor(reason), until).await.map_err(|error| ApiError::of(&handle, error))?;
    Ok(answer(&handle, &state, format!("job `{id}` is paused")))
}

/// `POST /{job_id}/resume`
pub(crate) async fn resume(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller.job_id(job_id).await?;
    let reason = caller.body(request).await?.reason()?;
    let state = handle.resume(&id, &caller.actor(reason)).await.map_err(|error| ApiError::of(&handle, error))?;
    Ok(answer(&handle, &state, format!("job `{id}` is paused no more")))
}

fn answer(handle: &SchedulerHandle, state: &JobState, message: String) -> Response {
    let pause = PauseView::of(handle, state);
    let data = PausedView { job_id: state.job_id.to_string(), paused: pause.is_some(), pause };
    Envelope::success(message, data).into_response(StatusCode::OK)
}
