//! Executions: what is shown of one, and the endpoints that read them.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use scheduler_core::{SchedulerHandle, execution::Execution, identity::JobId, status::Status, store::ExecutionFilter};
use serde::Serialize;
use serde_json::Value;

use crate::{
    caller::Caller,
    envelope::Envelope,
    error::ApiError,
    page::{Page, PageRequest},
    path::Segment,
    query::Query,
    time,
};

/// The most hours that `recent` looks back, and what it looks back unless told.
const HOURS: std::ops::RangeInclusive<u64> = 1..=168;
const DEFAULT_HOURS: u64 = 24;

/// An execution as it is shown; instants have the offset of its job's zone.
#[derive(Debug, Serialize)]
pub(crate) struct ExecutionView {
    id: i64,
    job_id: String,
    occurrence: String,
    origin: &'static str,
    status: &'static str,
    success: bool,
    attempt: u32,
    max_attempts: u32,
    scheduled_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    duration_seconds: Option<f64>,
    message: Option<String>,
    error_trace: Option<String>,
    result_data: Option<Value>,
    reason: Option<&'static str>,
    instance: Option<String>,
    triggered_by: Option<String>,
    fence: Option<i64>,
    created_at: String,
}

impl ExecutionView {
    pub(crate) fn new(execution: Execution, zone: Tz) -> Self {
        let time = |at| time::text_in(at, zone);
        Self {
            id: execution.id.0,
            job_id: execution.job_id.to_string(),
            occurrence: execution.occurrence.to_string(),
            origin: execution.origin.as_str(),
            status: execution.status.as_str(),
            success: execution.status == Status::Succeeded,
            attempt: execution.attempt,
            max_attempts: execution.max_attempts,
            scheduled_at: time(execution.scheduled_at),
            started_at: execution.started_at.map(time),
            finished_at: execution.finished_at.map(time),
            duration_seconds: execution.duration_seconds,
            message: execution.message,
            error_trace: execution.error_trace,
            result_data: execution.result_data,
            reason: execution.reason.map(|reason| reason.as_str()),
            instance: execution.instance.map(|instance| instance.to_string()),
            triggered_by: execution.triggered_by,
            fence: execution.fence.map(|fence| fence.0),
            created_at: time(execution.created_at),
        }
    }

    /// In the zone of the job, or in UTC when this instance does not have the job.
    pub(crate) fn of(handle: &SchedulerHandle, execution: Execution) -> Self {
        let zone = handle.definition(&execution.job_id).map_or(Tz::UTC, |job| job.settings().zone());
        Self::new(execution, zone)
    }
}

/// `GET /{job_id}/history`
pub(crate) async fn history(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    uri: Uri,
) -> Result<Response, ApiError> {
    let job = caller.definition(job_id).await?;
    let query = Query::of(&uri)?;
    let filter = filter(&query, Some(job.settings().id.clone()))?;
    let page = PageRequest::of(&query)?.read(&handle, filter).await?;
    Ok(answer(&handle, page, format!("executions of `{}`", job.settings().id)))
}

/// `GET /executions/recent`
pub(crate) async fn recent(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = Query::of(&uri)?;
    let hours = query.number("hours", HOURS)?.unwrap_or(DEFAULT_HOURS);
    let back = TimeDelta::hours(i64::try_from(hours).expect("at most 168"));
    let mut filter = filter(&query, None)?;
    filter.among = caller.scope().await?;
    filter.created_since = handle.now().checked_sub_signed(back);
    let page = PageRequest::of(&query)?.read(&handle, filter).await?;
    Ok(answer(&handle, page, format!("executions of the last {hours} hours")))
}

/// `GET /executions/{id}`
pub(crate) async fn one(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    id: Segment,
) -> Result<Response, ApiError> {
    let execution = caller.execution(id).await?;
    Ok(Envelope::success(format!("execution {}", execution.id), ExecutionView::of(&handle, execution))
        .into_response(StatusCode::OK))
}

fn filter(query: &Query, job_id: Option<JobId>) -> Result<ExecutionFilter, ApiError> {
    Ok(ExecutionFilter { job_id, statuses: query.statuses()?, ..ExecutionFilter::default() })
}

fn answer(handle: &SchedulerHandle, page: Page, message: String) -> Response {
    let data: Vec<_> = page.executions.into_iter().map(|execution| ExecutionView::of(handle, execution)).collect();
    Envelope::success(message, data).with_meta(page.meta).into_response(StatusCode::OK)
}
