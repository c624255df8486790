//! Executions of all jobs: found, paged, and taken away as files.

mod export;
mod filters;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};
use scheduler_core::execution::Execution;

pub(super) use export::{csv, json};

use super::{Dashboard, look, visitor::Visitor, zone};
use crate::{
    error::ApiError,
    execution::{self, Listed},
};

/// `GET /executions`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let handle = &dashboard.api.handle;
    let query = filters::query(handle, &uri)?;
    let Listed { filter, page, .. } = execution::listed(handle, &visitor.caller, &query).await?;
    let read = async { page.uncounted().read(handle, filter).await };
    let instances = async { Ok::<_, ApiError>(handle.instances().await?) };
    let (page, instances) = tokio::try_join!(read, instances)?;
    let next = page.meta["next_cursor"].as_str();
    let others = query.without(&["cursor", "page", "lang"]);
    let content = html! {
        h1 { (words.executions) }
        div class="card" {
            (filters::form(&query, &instances, handle, &visitor).await?)
            @if page.executions.is_empty() { p class="note" { (words.nothing_found) } }
            @else { (table(&visitor, &dashboard, &page.executions, false)) }
            p class="pager" {
                @if query.get("cursor")?.is_some() { a href={ "?" (others) } { "← " (words.newer) } }
                @if let Some(next) = next { a rel="next" href={ "?" (others) "&cursor=" (next) } { (words.older) " →" } }
                span class="end" {
                    (words.download) " (" (words.at_most) "): "
                    a href={ "executions.csv?" (others) } download { "CSV" } " · "
                    a href={ "executions.json?" (others) } download { "JSON" }
                }
            }
        }
    };
    Ok(visitor.page(words.executions, content))
}

/// Executions as rows, which name their job where they are not all of one.
pub(super) fn table(visitor: &Visitor, dashboard: &Dashboard, rows: &[Execution], is_of_one: bool) -> Markup {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "#" }
                    @if !is_of_one { th scope="col" { (words.job) } }
                    @for name in [words.status, words.due, words.duration, words.origin, words.message] {
                        th scope="col" { (name) }
                    }
                }
            }
            tbody {
                @for row in rows {
                    tr class=[(look::class(row.status) == "bad").then_some("attn")] {
                        td { a class="id" href={ (root) "executions/" (row.id) } { "#" (row.id) } }
                        @if !is_of_one { td { a href={ (root) "jobs/" (row.job_id) } { (row.job_id) } } }
                        td { (look::status(row.status, words)) @if let Some(reason) = row.reason { small { (words.reason_of(reason)) } } }
                        td {
                            (look::time(row.scheduled_at, zone::of(&dashboard.api.handle, &row.job_id)))
                            @if let Some(lag) = row.start_lag().filter(|lag| *lag >= 1.0) { small { (words.late_by) " " (look::seconds(lag, words)) } }
                        }
                        td { @if let Some(seconds) = row.duration_seconds { (look::seconds(seconds, words)) } }
                        td class="hide" {
                            (words.origin_of(row.origin))
                            small { (row.attempt) " / " (row.max_attempts) @if let Some(who) = &row.triggered_by { " · " (look::text(who, words)) } }
                        }
                        td class="hide" { @if let Some(message) = &row.message { (look::line(message, 120, words)) } }
                    }
                }
            }
        }
    }
}
