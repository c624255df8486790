//! Who did what.

use axum::{extract::State, http::Uri, response::Response};
use maud::html;
use scheduler_core::store::Action;

use super::{Dashboard, look, visitor::Visitor};
use crate::{
    audit::{self, AuditView},
    error::ApiError,
    query::Query,
};

/// `GET /audit`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    let query = Query::of_form(&uri)?;
    let (entries, meta) = audit::read(&dashboard.api.handle, &visitor.caller, &query).await?;
    let next = meta["next_cursor"].as_str();
    let others = query.without(&["cursor", "lang"]);
    let (action, actor, job) = (query.get("action")?, query.get("actor")?, query.get("job")?);
    let content = html! {
        h1 { (words.audit) }
        div class="card" {
            form class="filters" role="search" {
                label { (words.job) input type="search" name="job" value=[job]; }
                label { (words.actor) input name="actor" value=[actor]; }
                label {
                    (words.what)
                    select name="action" {
                        option value="" { (words.all) }
                        @for one in Action::ALL { option value=(one) selected[action == Some(one.as_str())] { (words.action_of(*one)) } }
                    }
                }
                button { (words.filter) }
            }
            @if entries.is_empty() { p class="note" { (words.nothing_found) } }
            @else {
                table {
                    thead {
                        tr {
                            @for name in [words.at, words.actor, words.what, words.job, words.reason, words.before_after] {
                                th scope="col" { (name) }
                            }
                        }
                    }
                    tbody {
                        @for entry in &entries {
                            tr class=[entry.refused.is_some().then_some("attn")] {
                                td { time datetime=(entry.at) { (entry.at) } }
                                td {
                                    (look::text(&entry.actor, words))
                                    @if let Some(address) = &entry.address { small { (words.from_address) " " (look::text(address, words)) } }
                                }
                                td {
                                    (entry.action)
                                    @if let Some(why) = &entry.refused { small class="st bad" { "✕ " (words.refused) } small { (look::text(why, words)) } }
                                    @else { small class="st ok" { "✓ " (words.done) } }
                                }
                                td {
                                    @if let Some(id) = &entry.job_id { a href={ (root) "jobs/" (id) } { (id) } " " }
                                    @if let Some(id) = entry.execution_id { a href={ (root) "executions/" (id) } { "#" (id) } }
                                }
                                td class="hide" { @if let Some(reason) = &entry.reason { (look::text(reason, words)) } }
                                td class="hide" { (change(entry)) }
                            }
                        }
                    }
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

fn change(entry: &AuditView) -> maud::Markup {
    html! {
        @if let Some(before) = &entry.before { code { (before) } " → " }
        @if let Some(after) = &entry.after { code { (after) } }
    }
}
