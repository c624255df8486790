//! What an execution logged.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use scheduler_core::{
    SchedulerHandle,
    logs::LogLevel,
    store::{LogLine, LogPage, LogQuery, LogStart},
};
use scheduler_cron::NamedZone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{caller::Caller, envelope::Envelope, error::ApiError, openapi, path::Segment, query::Query, redact, time};

/// How many lines are told at most, and unless told.
const LIMIT: std::ops::RangeInclusive<u64> = 1..=1_000;
const DEFAULT_LIMIT: u64 = 100;

/// What an execution logged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecutionLogs)]
pub(crate) struct LogsView {
    lines: Vec<LineView>,
    /// How many lines it has logged, of whatever level.
    logged: u64,
    /// How many of them are not kept.
    dropped: u64,
    /// Whether lines follow on these, by now.
    has_more: bool,
}

/// A line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(crate) struct LineView {
    /// From 1; a gap is lines that are not kept, or not of the level that was asked for.
    number: u64,
    #[schema(format = DateTime)]
    at: String,
    #[schema(schema_with = openapi::words::level)]
    level: &'static str,
    target: String,
    message: String,
}

impl LogsView {
    fn new(mut page: LogPage, limit: usize, zone: NamedZone) -> Self {
        let (logged, dropped) = (page.logged, page.dropped());
        let has_more = page.lines.len() > limit;
        page.lines.truncate(limit);
        Self {
            lines: page.lines.into_iter().map(|line| LineView::new(line, zone)).collect(),
            logged,
            dropped,
            has_more,
        }
    }
}

impl LineView {
    fn new(line: LogLine, zone: NamedZone) -> Self {
        Self {
            number: line.number,
            at: time::text_in(line.at, zone),
            level: line.level.as_str(),
            target: line.target,
            message: redact::text(&line.message).into_owned(),
        }
    }
}

/// `GET /executions/{id}/logs`
pub(crate) async fn list(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    id: Segment,
    uri: Uri,
) -> Result<Response, ApiError> {
    let execution = caller.execution(id).await?;
    let query = Query::of(&uri)?;
    let after = query.number("after", 0..=i64::MAX as u64)?.unwrap_or(0);
    let limit = query.number("limit", LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let limit = usize::try_from(limit).expect("at most 1,000");
    let level = query.word("level", LogLevel::ALL)?.unwrap_or(LogLevel::Trace);
    // One line more says whether any follow.
    let wanted = LogQuery { execution_id: execution.id, start: LogStart::After(after), level, limit: limit + 1 };
    let page = handle.logs(&wanted).await?;
    let view = LogsView::new(page, limit, time::zone_of(&handle, &execution.job_id));
    Ok(Envelope::success(format!("what execution {} logged", execution.id), view).into_response(StatusCode::OK))
}
