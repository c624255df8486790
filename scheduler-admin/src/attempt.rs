//! Stopping an attempt, and asking for one more.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use scheduler_core::{Cancelled, SchedulerHandle};

use crate::{caller::Caller, error::ApiError, execution::RequestedView, path::Segment};

/// `POST /executions/{id}/cancel`
pub(crate) async fn cancel(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let execution = caller.execution(id).await?;
    let id = execution.id;
    let reason = caller.body(request).await?.reason()?;
    let cancelled = handle.cancel(id, &caller.actor(reason)).await.map_err(|error| ApiError::of(&handle, error))?;
    Ok(match cancelled {
        Cancelled::AtOnce(row) => {
            RequestedView::of(&handle, *row).answer(StatusCode::OK, format!("execution {id} is cancelled"))
        }
        // Where it runs it is told within a renewal; the row says how it ended.
        _ => RequestedView::of(&handle, execution)
            .answer(StatusCode::ACCEPTED, format!("execution {id} is asked to stop")),
    })
}

/// `POST /executions/{id}/retry`
pub(crate) async fn retry(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller.execution(id).await?.id;
    let reason = caller.body(request).await?.reason()?;
    let next = handle.retry(id, &caller.actor(reason)).await.map_err(|error| ApiError::of(&handle, error))?;
    let message = format!("attempt {} of `{}` waits to run", next.attempt, next.job_id);
    Ok(RequestedView::of(&handle, next).answer(StatusCode::ACCEPTED, message))
}
