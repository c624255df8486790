//! Executions: what is shown of one, and the endpoints that read them.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::Response,
};
use chrono::TimeDelta;
use scheduler_core::{
    SchedulerHandle,
    execution::{Execution, Progress},
    identity::InstanceId,
    occurrence::Origin,
    status::Status,
    store::ExecutionFilter,
};
use scheduler_cron::NamedZone;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    cursor::Cursor,
    envelope::Envelope,
    error::ApiError,
    openapi,
    page::{Page, PageRequest},
    path::{self, Segment},
    query::{Query, TimeRange},
    redact, time,
};

/// The most hours that `recent` looks back, and what it looks back unless told.
const HOURS: std::ops::RangeInclusive<u64> = 1..=168;
const DEFAULT_HOURS: u64 = 24;

/// What the lists can be asked for, beside their pages.
const FILTERS: [&str; 8] = ["status", "origin", "job", "instance", "actor", "from", "to", "hours"];

/// An execution as it is shown; instants have the offset of its job's zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Execution)]
pub(crate) struct ExecutionView {
    id: i64,
    job_id: String,
    occurrence: String,
    #[schema(schema_with = openapi::words::origin)]
    origin: &'static str,
    #[schema(schema_with = openapi::words::status)]
    status: &'static str,
    success: bool,
    attempt: u32,
    max_attempts: u32,
    #[schema(format = DateTime)]
    scheduled_at: String,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    duration_seconds: Option<f64>,
    message: Option<String>,
    error_trace: Option<String>,
    result_data: Option<Value>,
    #[schema(schema_with = openapi::words::reason)]
    reason: Option<&'static str>,
    instance: Option<String>,
    triggered_by: Option<String>,
    fence: Option<i64>,
    /// How far the body last said that it is.
    progress: Option<ProgressView>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// So many of so many, at most all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressView {
    done: u64,
    total: u64,
}

impl ProgressView {
    const fn new(progress: Progress) -> Self {
        Self { done: progress.done, total: progress.total }
    }
}

impl ExecutionView {
    pub(crate) fn new(execution: Execution, zone: NamedZone) -> Self {
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
            message: redact::option(execution.message),
            error_trace: redact::option(execution.error_trace),
            result_data: execution.result_data.map(redact::value),
            reason: execution.reason.map(|reason| reason.as_str()),
            instance: execution.instance.map(|instance| instance.to_string()),
            triggered_by: execution.triggered_by,
            fence: execution.fence.map(|fence| fence.0),
            progress: execution.progress.map(ProgressView::new),
            created_at: time(execution.created_at),
        }
    }

    /// In the zone of the job, or in UTC when this instance does not have the job.
    pub(crate) fn of(handle: &SchedulerHandle, execution: Execution) -> Self {
        let zone = time::zone_of(handle, &execution.job_id);
        Self::new(execution, zone)
    }
}

/// An execution that somebody asked for, or asked to change, and where it is read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestedExecution)]
pub(crate) struct RequestedView {
    #[serde(flatten)]
    execution: ExecutionView,
    url: String,
}

impl RequestedView {
    pub(crate) fn of(handle: &SchedulerHandle, execution: Execution) -> Self {
        let url = path::execution(execution.id);
        Self { execution: ExecutionView::of(handle, execution), url }
    }

    /// The answer that says where it is read.
    pub(crate) fn answer(self, status: StatusCode, message: impl Into<String>) -> Response {
        let location = HeaderValue::from_str(&self.url).expect("a path of digits and letters");
        let mut response = Envelope::success(message, self).into_response(status);
        response.headers_mut().insert(header::LOCATION, location);
        response
    }
}

/// `GET /{job_id}/history`
pub(crate) async fn history(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    uri: Uri,
) -> Result<Response, ApiError> {
    let id = &caller.job_id(job_id).await?;
    let query = Query::of(&uri)?;
    let filter = ExecutionFilter { job_id: Some(id.clone()), ..filter(&query)? };
    let cursor = Cursor::new('e', query.fingerprint(id.as_str(), &FILTERS)?);
    let page = PageRequest::of(&query, cursor)?.read(&handle, filter).await?;
    Ok(answer(&handle, page, format!("executions of `{id}`")))
}

/// `GET /executions/recent`
pub(crate) async fn recent(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Listed { filter, page, message } = listed(&handle, &caller, &Query::of(&uri)?).await?;
    Ok(answer(&handle, page.read(&handle, filter).await?, message))
}

/// What a list of all jobs' executions is of.
pub(crate) struct Listed {
    pub(crate) filter: ExecutionFilter,
    pub(crate) page: PageRequest,
    pub(crate) message: String,
}

/// What a query asks for of all executions that a caller sees.
pub(crate) async fn listed(handle: &SchedulerHandle, caller: &Caller, query: &Query) -> Result<Listed, ApiError> {
    let hours = query.number("hours", HOURS)?;
    let mut filter = ExecutionFilter { job_id: query.job()?, among: caller.scope().await?, ..filter(query)? };
    let message = match (hours, filter.created_since) {
        (Some(_), Some(_)) => return Err(ApiError::parameter("hours", "does not go with `from`")),
        (None, Some(_)) => "executions".to_owned(),
        (hours, None) => {
            let hours = hours.unwrap_or(DEFAULT_HOURS);
            let back = TimeDelta::hours(i64::try_from(hours).expect("at most 168"));
            filter.created_since = filter.created_before.unwrap_or(handle.now()).checked_sub_signed(back);
            format!("executions of {hours} hours")
        }
    };
    // Not an id of a job, as it has a slash.
    let cursor = Cursor::new('e', query.fingerprint("executions/recent", &FILTERS)?);
    let page = PageRequest::of(query, cursor)?;
    Ok(Listed { filter, page, message })
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

/// What both lists can be asked for.
fn filter(query: &Query) -> Result<ExecutionFilter, ApiError> {
    let TimeRange { from, to } = query.range()?;
    let instance = query.get("instance")?.map(str::parse).transpose();
    let instance = instance.map_err(|_| ApiError::parameter("instance", "must be an instance's UUID"))?;
    Ok(ExecutionFilter {
        statuses: query.words("status", Status::ALL)?,
        origins: query.words("origin", Origin::ALL)?,
        instance: instance.map(InstanceId),
        triggered_by: query.get("actor")?.map(str::to_owned),
        created_since: from,
        created_before: to,
        ..ExecutionFilter::default()
    })
}

fn answer(handle: &SchedulerHandle, page: Page, message: String) -> Response {
    let data: Vec<_> = page.executions.into_iter().map(|execution| ExecutionView::of(handle, execution)).collect();
    Envelope::success(message, data).with_meta(page.meta).into_response(StatusCode::OK)
}
