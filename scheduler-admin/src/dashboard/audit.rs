//! Who did what.

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};
use scheduler_core::{
    SchedulerHandle,
    store::{Action, AuditEntry},
};
use serde_json::Value;

use super::{Dashboard, look, visitor::Visitor, words::Words, zone};
use crate::{audit, error::ApiError, query::Query, redact};

/// `GET /audit`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let handle = &dashboard.api.handle;
    let query = Query::of_form(&uri)?;
    let (entries, meta) = audit::read(handle, &visitor.caller, &query).await?;
    let next = meta["next_cursor"].as_str();
    let others = query.without(&["cursor", "lang"]);
    let content = html! {
        h1 { (words.audit) }
        div class="card" {
            (filters(&query, words)?)
            @if entries.is_empty() { p class="note" { (words.nothing_found) } }
            @else {
                table {
                    thead {
                        tr {
                            @for name in [words.at, words.actor, words.what, words.job, words.reason, words.before, words.after] {
                                th scope="col" { (name) }
                            }
                        }
                    }
                    tbody { @for entry in &entries { (row(entry, handle, &visitor)) } }
                }
            }
            p class="pager" {
                @if query.get("cursor")?.is_some() { a href={ "?" (others) } { "← " (words.newer) } }
                @if let Some(next) = next { a rel="next" href={ "?" (others) "&cursor=" (next) } { (words.older) " →" } }
            }
        }
    };
    Ok(visitor.page(words.audit, content))
}

fn filters(query: &Query, words: &Words) -> Result<Markup, ApiError> {
    let action = query.get("action")?;
    Ok(html! {
        form class="filters" role="search" {
            label { (words.job) input id="job" type="search" name="job" value=[query.get("job")?]; }
            label { (words.actor) input name="actor" value=[query.get("actor")?]; }
            label {
                (words.what)
                select name="action" {
                    option value="" { (words.all) }
                    @for one in Action::ALL { option value=(one) selected[action == Some(one.as_str())] { (words.action_of(*one)) } }
                }
            }
            button { (words.filter) }
        }
    })
}

fn row(entry: &AuditEntry, handle: &SchedulerHandle, visitor: &Visitor) -> Markup {
    let (words, root, record) = (visitor.frame.words, &visitor.frame.root, &entry.record);
    let zone = record.job_id.as_ref().map_or_else(|| zone::home(handle), |id| zone::of(handle, id));
    html! {
        tr class=[record.refused.is_some().then_some("attn")] {
            td { (look::time(entry.at, zone)) }
            td {
                (look::text(&record.actor.who, words))
                @if let Some(address) = &record.actor.address { small { (words.from_address) " " (look::text(address, words)) } }
            }
            td {
                (words.action_of(record.action))
                @if let Some(why) = &record.refused { small class="st bad" { "✕ " (words.refused) } small lang="en" { (look::text(why, words)) } }
                @else { small class="st ok" { "✓ " (words.done) } }
            }
            td {
                @if let Some(id) = &record.job_id { a href={ (root) "jobs/" (id) } { (id) } " " }
                @if let Some(id) = record.execution_id { a href={ (root) "executions/" (id) } { "#" (id) } }
            }
            td { @if let Some(reason) = &record.actor.reason { (look::text(reason, words)) } }
            td class="value" { (value(record.before.as_ref(), words)) }
            td class="value" { (value(record.after.as_ref(), words)) }
        }
    }
}

/// What an action changed: of an object a line a field.
fn value(value: Option<&Value>, words: &Words) -> Markup {
    let shown = value.cloned().map(redact::value);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    html! {
        @match &shown {
            None | Some(Value::Null) => {},
            Some(Value::Object(fields)) => @for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) { div { code { (look::text(name, words)) } " " (look::text(&text(value), words)) } },
            Some(other) => (look::text(&text(other), words)),
        }
    }
}
