//! What a job is due for: what comes next, and keeping one of it from running.

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri},
    response::Response,
};
use scheduler_core::SchedulerHandle;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    caller::Caller, envelope::Envelope, error::ApiError, execution::RequestedView, path::Segment, query::Query, time,
};

/// How many occurrences are told at most, and unless told.
const COUNT: std::ops::RangeInclusive<u64> = 1..=1_000;
const DEFAULT_COUNT: u64 = 10;

/// An instant that a job's trigger names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Occurrence)]
pub(crate) struct OccurrenceView {
    #[schema(format = DateTime)]
    scheduled_at: String,
}

/// `GET /{job_id}/next`
pub(crate) async fn next(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    uri: Uri,
) -> Result<Response, ApiError> {
    let id = caller.job_id(job_id).await?;
    let count = Query::of(&uri)?.number("count", COUNT)?.unwrap_or(DEFAULT_COUNT);
    let count = usize::try_from(count).expect("at most 1,000");
    let next = handle.next(&id, count).await.map_err(|error| ApiError::of(&handle, error))?;
    let data: Vec<_> = next.iter().map(|at| OccurrenceView { scheduled_at: time::text(at) }).collect();
    let message = format!("what the trigger of `{id}` names next");
    Ok(Envelope::success(message, data).into_response(StatusCode::OK))
}

/// `POST /{job_id}/skip`
pub(crate) async fn skip(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller.job_id(job_id).await?;
    let mut fields = caller.body(request).await?;
    let (at, reason) = (fields.needed_instant("scheduled_at")?, fields.reason()?);
    let row = handle.skip(&id, at, &caller.actor(reason)).await.map_err(|error| ApiError::of(&handle, error))?;
    let message = format!("`{id}` will not run at {}", time::text_in(at, time::zone_of(&handle, &id)));
    Ok(RequestedView::of(&handle, row).answer(StatusCode::CREATED, message))
}
