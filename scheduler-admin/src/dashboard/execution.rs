//! One execution.

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};
use scheduler_core::{execution::Execution, status::Status, store::Action};
use serde_json::Value;

use super::{Dashboard, action, logs, look, visitor::Visitor};
use crate::{Permission, error::ApiError, path::Segment, redact, time};

/// `GET /executions/{id}`
pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    id: Segment,
    uri: Uri,
) -> Result<Response, ApiError> {
    let row = visitor.caller.execution(id).await?;
    let handle = &dashboard.api.handle;
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    let zone = time::zone_of(handle, &row.job_id);
    let executes = visitor.caller.may_do(Permission::Execute, &row.job_id).await?;
    let title = format!("{} #{}", row.job_id, row.id);
    let said = logs::section(handle, &row, &uri, zone, words).await?;
    let content = html! {
        h1 { a href={ (root) "jobs/" (row.job_id) } { (row.job_id) } " #" (row.id) }
        p {
            (look::status(row.status, words)) " "
            @if let Some(reason) = row.reason { code { (reason) } " " }
            @if executes && !row.status.is_final() { (action::link_to(root, Action::Cancel, row.id, words)) }
            @if executes && row.status.is_retryable() { (action::link_to(root, Action::Retry, row.id, words)) }
        }
        div class="card" {
            dl {
                (course(&row, handle.now(), zone, &visitor))
                @if let Some(progress) = row.progress { dt { (words.progress) } dd { (logs::progress(progress, words)) } }
                dt { (words.attempt) }
                dd { (row.attempt) " / " (row.max_attempts) }
                dt { (words.origin) }
                dd { (row.origin) }
                dt { (words.occurrence) }
                dd { code { (look::text(row.occurrence.as_str(), words)) } }
                @if let Some(instance) = row.instance { dt { (words.instance) } dd { code { (instance) } } }
                @if let Some(fence) = row.fence { dt { (words.fence) } dd { (fence.0) } }
                @if let Some(who) = &row.triggered_by { dt { (words.triggered_by) } dd { (look::text(who, words)) } }
                @if let Some(from) = row.missed_from {
                    dt { (look::status(Status::Missed, words)) }
                    dd { (look::time(from, zone)) " … · " (row.missed_count.unwrap_or_default()) }
                }
            }
        }
        @if let Some(message) = &row.message { h2 { (words.message) } div class="card" { pre { (look::text(message, words)) } } }
        @if let Some(trace) = &row.error_trace { h2 { (words.error) } div class="card" { pre tabindex="0" { (look::text(trace, words)) } } }
        @if let Some(result) = &row.result_data { h2 { (words.result) } (json(result, &visitor)) }
        @if let Some(params) = &row.params { h2 { (words.params) } (json(params, &visitor)) }
        (said)
    };
    Ok(visitor.page(&title, content))
}

/// Where a run stands between its nominal instant and its end.
fn course(row: &Execution, now: chrono::DateTime<chrono::Utc>, zone: chrono_tz::Tz, visitor: &Visitor) -> Markup {
    let words = visitor.frame.words;
    let late = look::lag(row).filter(|lag| *lag >= 0.001);
    let runs_since = row.started_at.filter(|_| row.finished_at.is_none());
    html! {
        dt { (words.due) }
        dd { (look::time(row.scheduled_at, zone)) }
        @if let Some(at) = row.started_at {
            dt { (words.started) }
            dd { (look::time(at, zone)) @if let Some(late) = late { small { (words.late_by) " " (look::seconds(late)) } } }
        }
        @if let Some(at) = row.finished_at {
            dt { (words.finished) }
            dd { (look::time(at, zone)) }
        }
        @if let Some(seconds) = row.duration_seconds {
            dt { (words.duration) }
            dd { (look::seconds(seconds)) }
        } @else if let Some(at) = runs_since {
            dt { (words.duration) }
            dd { (look::distance(now - at)) " …" }
        }
    }
}

/// A value as JSON, its numbers as they are.
fn json(value: &Value, visitor: &Visitor) -> Markup {
    let text = serde_json::to_string_pretty(&redact::value(value.clone()))
        .expect("text keys and finite numbers are always JSON");
    html! { div class="card" { pre tabindex="0" { (look::text(&text, visitor.frame.words)) } } }
}
