//! Executions of all jobs: found, paged, and taken away as CSV.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Uri, header},
    response::Response,
};
use maud::{Markup, html};
use scheduler_core::{
    execution::Execution,
    occurrence::Origin,
    status::Status,
    store::{ExecutionQuery, PageStart},
};

use super::{Dashboard, look, visitor::Visitor};
use crate::{
    error::ApiError,
    execution::{self, Listed},
    query::Query,
    redact, time,
};

/// How many rows a CSV file has at most.
const MOST: usize = 5_000;

/// `GET /executions`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let query = Query::of_form(&uri)?;
    let Listed { filter, page, .. } = execution::listed(&dashboard.api.handle, &visitor.caller, &query).await?;
    let page = page.uncounted().read(&dashboard.api.handle, filter).await?;
    let next = page.meta["next_cursor"].as_str();
    let others = query.without(&["cursor", "page", "lang"]);
    let content = html! {
        h1 { (words.executions) }
        div class="card" {
            (filters(&query, &visitor)?)
            @if page.executions.is_empty() { p class="note" { (words.nothing_found) } }
            @else { (table(&visitor, &dashboard, &page.executions)) }
            p class="pager" {
                @if query.get("cursor")?.is_some() { a href={ "?" (others) } { "← " (words.newer) } }
                @if let Some(next) = next { a rel="next" href={ "?" (others) "&cursor=" (next) } { (words.older) " →" } }
                a href={ "executions.csv?" (others) } download { (words.csv) }
            }
        }
    };
    Ok(visitor.page(words.executions, content))
}

/// `GET /executions.csv`
pub(super) async fn csv(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let handle = &dashboard.api.handle;
    let Listed { filter, .. } = execution::listed(handle, &visitor.caller, &Query::of_form(&uri)?).await?;
    let wanted = ExecutionQuery { filter, start: PageStart::Offset(0), limit: MOST, count: false };
    let mut text = "id,job_id,status,reason,origin,attempt,scheduled_at,started_at,finished_at,duration_seconds,triggered_by,message\r\n".to_owned();
    for row in handle.executions(&wanted).await?.executions {
        let zone = time::zone_of(handle, &row.job_id);
        let at = |at| time::text_in(at, zone);
        let fields = [
            row.id.to_string(),
            row.job_id.to_string(),
            row.status.to_string(),
            row.reason.map(|reason| reason.to_string()).unwrap_or_default(),
            row.origin.to_string(),
            row.attempt.to_string(),
            at(row.scheduled_at),
            row.started_at.map(at).unwrap_or_default(),
            row.finished_at.map(at).unwrap_or_default(),
            row.duration_seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            row.triggered_by.unwrap_or_default(),
            redact::option(row.message).unwrap_or_default(),
        ];
        text += &fields.map(|field| quoted(&field)).join(",");
        text += "\r\n";
    }
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_static("attachment; filename=\"executions.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// A field of RFC 4180; what a spreadsheet would take for a formula is no longer one.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}

fn filters(query: &Query, visitor: &Visitor) -> Result<Markup, ApiError> {
    let words = visitor.frame.words;
    let (status, origin, job) = (query.get("status")?, query.get("origin")?, query.get("job")?);
    let (actor, hours) = (query.get("actor")?, query.get("hours")?.unwrap_or("24"));
    Ok(html! {
        form class="filters" role="search" {
            label { (words.job) input type="search" name="job" value=[job]; }
            label {
                (words.status)
                select name="status" {
                    option value="" { (words.all) }
                    @for one in Status::ALL { option value=(one) selected[status == Some(one.as_str())] { (words.status_of(*one)) } }
                }
            }
            label {
                (words.origin)
                select name="origin" {
                    option value="" { (words.all) }
                    @for one in Origin::ALL { option value=(one) selected[origin == Some(one.as_str())] { (one) } }
                }
            }
            label { (words.actor) input name="actor" value=[actor]; }
            label {
                (words.hours)
                select name="hours" { @for one in ["1", "24", "168"] { option value=(one) selected[hours == one] { (one) } } }
            }
            button { (words.filter) }
        }
    })
}

/// Executions as rows.
pub(super) fn table(visitor: &Visitor, dashboard: &Dashboard, rows: &[Execution]) -> Markup {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    html! {
        table {
            thead {
                tr {
                    @for name in ["#", words.job, words.status, words.due, words.duration, words.origin, words.message] {
                        th scope="col" { (name) }
                    }
                }
            }
            tbody {
                @for row in rows {
                    tr class=[(look::class(row.status) == "bad").then_some("attn")] {
                        td { a class="id" href={ (root) "executions/" (row.id) } { (row.id) } }
                        td { a href={ (root) "jobs/" (row.job_id) } { (row.job_id) } }
                        td { (look::status(row.status, words)) @if let Some(reason) = row.reason { small { (reason) } } }
                        td { (look::time(row.scheduled_at, time::zone_of(&dashboard.api.handle, &row.job_id))) }
                        td { @if let Some(seconds) = row.duration_seconds { (look::seconds(seconds)) } }
                        td class="hide" {
                            (row.origin)
                            small { (row.attempt) "/" (row.max_attempts) @if let Some(who) = &row.triggered_by { " · " (look::text(who, words)) } }
                        }
                        td class="hide" { @if let Some(message) = &row.message { (short(message, visitor)) } }
                    }
                }
            }
        }
    }
}

/// The first line of a message, and not all of a long one.
fn short(message: &str, visitor: &Visitor) -> Markup {
    let line = message.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(120).collect();
    html! { (look::text(&shown, visitor.frame.words)) @if shown.len() < message.len() { "…" } }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_field_of_a_csv_file_is_no_formula_and_ends_where_it_ends() {
        assert_eq!(quoted("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        for formula in ["=1+1", "+1", "-1", "@a", "\t=1"] {
            assert!(quoted(formula).starts_with("\"'"), "{formula}");
        }
    }
}
