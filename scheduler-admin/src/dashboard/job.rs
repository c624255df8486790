//! One job: its settings, what is next, what ran.

use axum::{extract::State, response::Response};
use chrono::Offset as _;
use maud::{Markup, html};
use scheduler_core::{
    job::JobSettings,
    store::{Action, ExecutionFilter, ExecutionQuery, PageStart, Pause},
};
use scheduler_cron::format_duration;

use super::{Dashboard, action, executions, look, picture, visitor::Visitor, words::Words};
use crate::{Permission, error::ApiError, path::Segment, query::escaped};

/// How many of its executions are shown, and how many occurrences to come.
const HISTORY: usize = 50;
const UPCOMING: usize = 10;

/// `GET /jobs/{job_id}`
pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    job_id: Segment,
) -> Result<Response, ApiError> {
    let handle = &dashboard.api.handle;
    let (words, language) = (visitor.frame.words, visitor.frame.language);
    let id = visitor.caller.definition(job_id).await?.settings().id.clone();
    let status = handle.job(&id).await?.ok_or_else(ApiError::no_such_job)?;
    let settings = status.job.settings();
    let filter = ExecutionFilter { job_id: Some(id.clone()), ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: HISTORY, count: false };
    let history = handle.executions(&query).await?.executions;
    let executes = visitor.caller.may_do(Permission::Execute, &id).await?;
    let manages = visitor.caller.may_do(Permission::Manage, &id).await?;
    let pause = status.state.as_ref().and_then(|state| state.pause.as_ref());
    let root = &visitor.frame.root;

    let content = html! {
        h1 { (id) small { (look::text(&settings.name, words)) } }
        @if let Some(description) = &settings.description { p { (look::text(description, words)) } }
        p {
            @if executes { (action::link(root, Action::Trigger, &id, words)) " " }
            @if manages {
                (action::link(root, if pause.is_some() { Action::Resume } else { Action::Pause }, &id, words)) " "
                (action::link(root, Action::Backfill, &id, words)) " "
            }
            @for tag in &settings.tags { a class="tag" href={ (root) "?tag=" (escaped(tag)) } { "#" (look::text(tag, words)) } " " }
        }
        @if let Some(pause) = pause { (paused(pause, settings, words)) }
        div class="columns" {
            section {
                h2 { (words.settings) }
                div class="card" { (settings_of(settings, words, &settings.trigger.describe(language))) }
            }
            section {
                h2 { (words.upcoming) }
                div class="card" { (upcoming(&dashboard, settings, manages.then_some(root), words)) }
            }
        }
        h2 { (words.durations) }
        div class="card note" {
            (picture::bars(&history, words))
            @let mut times: Vec<_> = history.iter().filter_map(|row| row.duration_seconds).collect();
            @if let Some(half) = picture::quantile(&mut times, 0.5) {
                " p50 " b { (look::seconds(half)) }
                @if let Some(most) = picture::quantile(&mut times, 0.95) { " · p95 " b { (look::seconds(most)) } }
            }
        }
        h2 { (words.history) }
        div class="card" {
            (executions::table(&visitor, &dashboard, &history))
            p class="pager" { a href={ (root) "executions?hours=168&job=" (id) } { (words.executions) " →" } }
        }
    };
    Ok(visitor.page(id.as_str(), content))
}

fn paused(pause: &Pause, settings: &JobSettings, words: &Words) -> Markup {
    let zone = settings.zone();
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

fn settings_of(settings: &JobSettings, words: &Words, schedule: &str) -> Markup {
    let duration = |duration: Option<std::time::Duration>| duration.map_or_else(|| "–".to_owned(), format_duration);
    let rows = [
        ("retries", settings.retries.to_string()),
        ("retry_delay", format_duration(settings.retry_delay)),
        ("backoff", format!("{:?}", settings.backoff).to_lowercase()),
        ("timeout", duration(settings.timeout)),
        ("start_deadline", duration(settings.start_deadline)),
        ("catch_up", format!("{:?}", settings.catch_up).to_lowercase()),
        ("overlap", format!("{:?}", settings.overlap)),
        ("on_crash", format!("{:?}", settings.on_crash).to_lowercase()),
        ("lease_ttl", format_duration(settings.lease_ttl)),
        ("enabled", settings.enabled.to_string()),
    ];
    html! {
        dl {
            dt { (words.schedule) }
            dd { (schedule) small { code { (settings.trigger) } } }
            @for (name, value) in rows { dt { code { (name) } } dd { (value) } }
        }
    }
}

fn upcoming(dashboard: &Dashboard, settings: &JobSettings, root: Option<&String>, words: &Words) -> Markup {
    let (zone, now) = (settings.zone(), dashboard.api.handle.now());
    let next: Vec<_> = settings.trigger.upcoming(now).take(UPCOMING).collect();
    let offset = |at: &chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).offset().fix();
    html! {
        @if next.is_empty() { p class="note" { (words.none) } }
        table {
            tbody {
                @for (place, at) in next.iter().enumerate() {
                    @let before = if place == 0 { now } else { next[place - 1] };
                    tr {
                        td {
                            (look::time_from(*at, zone, now, words))
                            @if offset(&before) != offset(at) {
                                small class="st warn" { "⚠ " (offset(&before)) " → " (offset(at)) }
                            }
                        }
                        td class="act" {
                            @if let Some(root) = root {
                                a class="button" href={ (root) "jobs/" (settings.id) "/skip?at=" (at.format("%Y-%m-%dT%H:%M:%S%.fZ")) } { (words.skip) }
                            }
                        }
                    }
                }
            }
        }
    }
}
