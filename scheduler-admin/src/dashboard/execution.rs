//! One execution.

mod attempts;
mod course;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};
use scheduler_core::{execution::Execution, status::Status, store::Action};
use serde_json::Value;

use super::{Dashboard, action, logs, look, visitor::Visitor, zone};
use crate::{Permission, error::ApiError, path::Segment, redact};

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
    let zone = zone::of(handle, &row.job_id);
    let attempts = attempts::read(handle, &row).await?;
    let executes = visitor.caller.may_do(Permission::Execute, &row.job_id).await?;
    let title = format!("{} #{}", row.job_id, row.id);
    let said = logs::section(handle, &row, &uri, zone, words).await?;
    let content = html! {
        h1 { a href={ (root) "jobs/" (row.job_id) } { (row.job_id) } " #" (row.id) }
        p class="actions" {
            (look::status(row.status, words)) " "
            @if let Some(reason) = row.reason { span class="sub-inline" { (words.reason_of(reason)) } " " }
            @if executes && !row.status.is_final() { (action::link_to(root, Action::Cancel, row.id, words)) }
            @if executes && row.status.is_retryable() { (action::link_to(root, Action::Retry, row.id, words)) }
        }
        (course::line(&row, handle.now(), zone, words))
        (facts(&row, zone, &visitor))
        (attempts::card(&attempts, &row, zone, root, words))
        @if let Some(message) = &row.message { h2 { (words.message) } div class="card" { pre { (look::text(message, words)) } } }
        @if let Some(trace) = row.error_trace.as_ref().filter(|trace| Some(*trace) != row.message.as_ref()) { h2 { (words.error) } div class="card" { pre tabindex="0" { (look::text(trace, words)) } } }
        @if let Some(result) = &row.result_data { h2 { (words.result) } (json(result, &visitor)) }
        @if let Some(params) = &row.params { h2 { (words.params) } (json(params, &visitor)) }
        @if let Some(results) = &row.upstream_results { h2 { (words.upstream_results) } (json(results, &visitor)) }
        (said)
    };
    Ok(visitor.page(&title, content))
}

fn facts(row: &Execution, zone: scheduler_cron::NamedZone, visitor: &Visitor) -> Markup {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    html! {
        div class="card" {
            dl {
                @if let Some(progress) = row.progress { dt { (words.progress) } dd { (logs::progress(progress, words)) } }
                dt { (words.attempt) }
                dd { (row.attempt) " / " (row.max_attempts) }
                dt { (words.origin) }
                dd { (words.origin_of(row.origin)) @if let Some(who) = &row.triggered_by { " · " (words.triggered_by) " " (look::text(who, words)) } }
                dt { (words.occurrence) }
                dd { code { (look::text(row.occurrence.as_str(), words)) } }
                @if let Some(instance) = row.instance { dt { (words.instance) } dd { a href={ (root) "executions?hours=168&instance=" (instance) } { code { (instance) } } } }
                @if let Some(fence) = row.fence { dt { (words.fence) } dd { code { (fence.0) } } }
                @if let Some(from) = row.missed_from {
                    dt { (look::status(Status::Missed, words)) }
                    dd { (look::time(from, zone)) " – " (look::time(row.scheduled_at, zone)) " · " (row.missed_count.unwrap_or_default()) }
                }
            }
        }
    }
}

/// A value as JSON, its numbers as they are.
fn json(value: &Value, visitor: &Visitor) -> Markup {
    let text = serde_json::to_string_pretty(&redact::value(value.clone()))
        .expect("text keys and finite numbers are always JSON");
    html! { div class="card" { pre tabindex="0" { (look::text(&text, visitor.frame.words)) } } }
}
