//! One job: its settings, what is next, what ran, and what it runs after.

mod chain;
mod clock_change;
mod durations;
mod settings;
mod upcoming;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use scheduler_core::{
    execution::Execution,
    job::Job,
    status::Status,
    store::{Action, ExecutionFilter, ExecutionQuery, PageStart, Pause},
};
use scheduler_cron::NamedZone;

use super::{Dashboard, action, executions, look, visitor::Visitor, words::Words, zone};
use crate::{Permission, error::ApiError, path::Segment, query::escaped};

/// How many executions are read, and how many of them are shown as rows.
const READ: usize = 50;
const SHOWN: usize = 20;

/// `GET /jobs/{job_id}`
pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    job_id: Segment,
) -> Result<Response, ApiError> {
    let handle = &dashboard.api.handle;
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    let job = visitor.caller.definition(job_id).await?;
    let id = job.settings().id.clone();
    let filter = ExecutionFilter { job_id: Some(id.clone()), ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: READ, count: false };
    let chain = chain::Chain::of(handle, &visitor.caller, &id).await?;
    let read = async { Ok(tokio::try_join!(handle.job(&id), handle.executions(&query), chain.newest(handle))?) };
    let (status, history, newest) = match read.await {
        Ok(read) => read,
        Err(error) if ApiError::is_unavailable(&error) => {
            let content = html! {
                (head(job, &visitor))
                (plan(job, &[], None, &dashboard, &visitor))
                (chain.picture(&[], root, words))
            };
            return Ok(visitor.page_without_store(id.as_str(), content));
        }
        Err(error) => return Err(error),
    };
    let status = status.ok_or_else(ApiError::no_such_job)?;
    let history = history.executions;
    let zone = zone::of(handle, &id);
    let executes = visitor.caller.may_do(Permission::Execute, &id).await?;
    let manages = visitor.caller.may_do(Permission::Manage, &id).await?;
    let pause = status.state.as_ref().and_then(|state| state.pause.as_ref());
    let content = html! {
        (head(job, &visitor))
        p class="actions" {
            @if let Some(newest) = history.iter().find(|row| row.started_at.is_some()) { (look::status(newest.status, words)) " " }
            @if executes { (action::link(root, Action::Trigger, &id, words)) " " }
            @if manages {
                (action::link(root, if pause.is_some() { Action::Resume } else { Action::Pause }, &id, words)) " "
                (action::link(root, Action::Backfill, &id, words)) " "
            }
        }
        @if let Some(pause) = pause { (paused(pause, zone, words)) }
        (plan(job, &history, manages.then_some(root), &dashboard, &visitor))
        h2 { (words.dependencies) }
        (chain.picture(&newest, root, words))
        h2 { (words.durations) }
        (durations::card(&history, zone, root, words))
        h2 { (words.history) }
        div class="card" {
            @if history.is_empty() { p class="note" { (words.never) } }
            @else { (executions::table(&visitor, &dashboard, &history[..history.len().min(SHOWN)], true)) }
            p class="pager" { a href={ (root) "executions?hours=168&job=" (id) } { (words.executions) " →" } }
        }
    };
    Ok(visitor.page(id.as_str(), content))
}

fn head(job: &Job, visitor: &Visitor) -> Markup {
    let (words, root, settings) = (visitor.frame.words, &visitor.frame.root, job.settings());
    html! {
        h1 { (settings.id) @if settings.name != settings.id.as_str() { small { (look::text(&settings.name, words)) } } }
        @if let Some(description) = &settings.description { p { (look::text(description, words)) } }
        @if !settings.tags.is_empty() {
            p { @for tag in &settings.tags { a class="tag" href={ (root) "?tag=" (escaped(tag)) } { "#" (look::text(tag, words)) } " " } }
        }
    }
}

/// What is known of it without its history.
fn plan(job: &Job, history: &[Execution], root: Option<&String>, dashboard: &Dashboard, visitor: &Visitor) -> Markup {
    let (words, language, now) = (visitor.frame.words, visitor.frame.language, dashboard.api.handle.now());
    let is_skipped = |row: &&Execution| row.status == Status::Skipped && row.scheduled_at > now;
    let skipped: Vec<_> = history.iter().filter(is_skipped).collect();
    html! {
        div class="columns" {
            section {
                h2 { (words.upcoming) }
                div class="card" { (upcoming::table(job.settings(), &skipped, root, dashboard, words)) }
            }
            section {
                h2 { (words.settings) }
                div class="card" { (settings::table(job, now, language, words)) }
            }
        }
    }
}

fn paused(pause: &Pause, zone: NamedZone, words: &Words) -> Markup {
    html! {
        div class="card note" {
            span class="st skip" { "‖ " (words.paused) } " "
            (look::time(pause.at, zone))
            @if let Some(by) = &pause.by { " · " (look::text(by, words)) }
            @if let Some(reason) = &pause.reason { " · " (look::text(reason, words)) }
            " · "
            @if let Some(until) = pause.until { (words.until) " " (look::time(until, zone)) } @else { (words.until_resumed) }
        }
    }
}
