//! All jobs: how they stand, what ran, and what is next.

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};
use scheduler_core::{
    JobStatus, execution::Execution, identity::JobId, occurrence::Origin, status::Status, store::Action,
};

use super::{Dashboard, action, look, picture, visitor::Visitor, words::Words};
use crate::{
    Permission,
    error::ApiError,
    instance::InstanceView,
    query::{Query, escaped},
};

/// A job's row.
pub(super) struct Row {
    pub(super) status: JobStatus,
    /// Its newest executions, newest first.
    pub(super) recent: Vec<Execution>,
    executes: bool,
    manages: bool,
    is_overdue: bool,
}

impl Row {
    fn id(&self) -> &JobId {
        &self.status.job.settings().id
    }

    fn is_running(&self) -> bool {
        self.recent.iter().any(|row| row.status == Status::Running)
    }

    /// Whether the last run that ended did not end well.
    fn is_failing(&self) -> bool {
        let ended = self.recent.iter().find(|row| row.started_at.is_some() && row.status.is_final());
        ended.is_some_and(|row| look::class(row.status) == "bad")
    }

    fn shows(&self, state: &str) -> bool {
        match state {
            "running" => self.is_running(),
            "failing" => self.is_failing(),
            "paused" => self.status.is_paused(),
            "overdue" => self.is_overdue,
            _ => true,
        }
    }
}

/// The jobs that a visitor sees: three reads of the store for all of them.
pub(super) async fn rows(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<Row>, ApiError> {
    let handle = &dashboard.api.handle;
    let seen = visitor.caller.scope().await?;
    let is_seen = |status: &JobStatus| seen.as_ref().is_none_or(|seen| seen.contains(&status.job.settings().id));
    let jobs: Vec<_> = handle.jobs().await?.into_iter().filter(is_seen).collect();
    let ids: Vec<_> = jobs.iter().map(|status| status.job.settings().id.clone()).collect();
    let mut recent = handle.recent(&ids, picture::RUNS).await?;
    let now = handle.now();
    let mut rows = Vec::with_capacity(jobs.len());
    for status in jobs {
        let settings = status.job.settings();
        let of_job;
        (of_job, recent) = recent.into_iter().partition(|row| row.job_id == settings.id);
        let executes = visitor.caller.may_do(Permission::Execute, &settings.id).await?;
        let manages = visitor.caller.may_do(Permission::Manage, &settings.id).await?;
        let undecided = status.state.as_ref().filter(|state| state.pause.is_none() && settings.enabled);
        let owed = undecided.and_then(|state| settings.trigger.next_after(state.watermark));
        // What is due is decided within seconds, or something is wrong.
        let is_overdue = owed.is_some_and(|at| at < now - TimeDelta::seconds(10));
        rows.push(Row { status, recent: of_job, executes, manages, is_overdue });
    }
    Ok(rows)
}

/// `GET /`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let query = Query::of_form(&uri)?;
    let (search, state, tag) = (query.get("q")?, query.get("show")?, query.get("tag")?);
    let rows = rows(&dashboard, &visitor).await?;
    let alive = InstanceView::all(&dashboard.api.handle).await?.iter().filter(|one| one.alive).count();

    let found = |row: &&Row| {
        let settings = row.status.job.settings();
        let needle = search.unwrap_or_default().to_lowercase();
        row.shows(state.unwrap_or_default())
            && tag.is_none_or(|tag| settings.tags.iter().any(|own| own == tag))
            && (settings.id.as_str().contains(&needle) || settings.name.to_lowercase().contains(&needle))
    };
    let shown: Vec<_> = rows.iter().filter(found).collect();
    let content = html! {
        h1 { (words.jobs) }
        (numbers(&rows, alive, words))
        h2 { (words.next_24h) }
        div class="card wide" tabindex="0" role="region" aria-label=(words.timeline) { (super::timeline::chart(&dashboard, &rows, &[], words)) }
        h2 { (words.all) }
        div class="card" {
            (filters(&rows, search, state, tag, words))
            @if rows.is_empty() {
                div class="note" { p { (words.no_jobs) } p { (words.no_jobs_help) } }
            } @else if shown.is_empty() {
                p class="note" { (words.nothing_found) }
            } @else {
                table {
                    thead {
                        tr {
                            @for name in [words.job, words.schedule, words.next_run, words.last_run, words.last_runs] {
                                th scope="col" { (name) }
                            }
                            th scope="col" class="act" { (words.actions) }
                        }
                    }
                    tbody { @for row in shown { (job(row, &dashboard, &visitor)) } }
                }
            }
        }
    };
    Ok(visitor.page(words.jobs, content))
}

fn numbers(rows: &[Row], instances: usize, words: &Words) -> Markup {
    let count = |state: &str| rows.iter().filter(|row| row.shows(state)).count();
    let ended =
        || rows.iter().flat_map(|row| &row.recent).filter(|row| row.started_at.is_some() && row.status.is_final());
    let (all, good) = (ended().count(), ended().filter(|row| row.status == Status::Succeeded).count());
    let on_time =
        rows.iter().flat_map(|row| &row.recent).filter(|row| row.origin == Origin::Schedule && row.attempt == 1);
    let lag = picture::quantile(&mut on_time.filter_map(look::lag).collect::<Vec<_>>(), 0.95);
    html! {
        div class="card kpis" {
            a href="?" { b { (rows.len()) } span { (words.jobs) } }
            a href="?show=running" { b class="st run" { (count("running")) } span { (words.running) } }
            a href="?show=failing" { b class=[(count("failing") > 0).then_some("st bad")] { (count("failing")) } span { (words.failing) } }
            a href="?show=paused" { b { (count("paused")) } span { (words.paused) } }
            a href="?show=overdue" { b class=[(count("overdue") > 0).then_some("st bad")] { (count("overdue")) } span { (words.overdue) } }
            @if all > 0 { div { b { (format!("{:.1} %", good as f64 / all as f64 * 100.0)) } span { (words.success) } } }
            @if let Some(lag) = lag { div { b { (look::seconds(lag)) } span { (words.lag) } } }
            a href="instances" { b { (instances) } span { (words.instances) } }
        }
    }
}

fn filters(rows: &[Row], search: Option<&str>, state: Option<&str>, tag: Option<&str>, words: &Words) -> Markup {
    let states = [("", words.all), ("failing", words.failing), ("running", words.running), ("paused", words.paused)];
    let mut tags: Vec<_> = rows.iter().flat_map(|row| &row.status.job.settings().tags).collect();
    tags.sort_unstable();
    tags.dedup();
    html! {
        form class="filters" role="search" {
            label { (words.search) input id="q" type="search" name="q" value=[search]; }
            @if let Some(state) = state { input type="hidden" name="show" value=(state); }
            button { (words.filter) }
            @for (name, word) in states {
                a class="chip" href={ "?show=" (name) } aria-current=[(state.unwrap_or_default() == name && tag.is_none()).then_some("true")] { (word) }
            }
            @for own in tags {
                a class="chip" href={ "?tag=" (escaped(own)) } aria-current=[(tag == Some(own)).then_some("true")] { "#" (look::text(own, words)) }
            }
        }
    }
}

fn job(row: &Row, dashboard: &Dashboard, visitor: &Visitor) -> Markup {
    let (words, language) = (visitor.frame.words, visitor.frame.language);
    let settings = row.status.job.settings();
    let (zone, now) = (settings.zone(), dashboard.api.handle.now());
    html! {
        tr class=[(row.is_failing() || row.is_overdue).then_some("attn")] {
            td {
                a class="id" href={ "jobs/" (row.id()) } { (row.id()) }
                small { (look::text(settings.description.as_deref().unwrap_or(&settings.name), words)) }
            }
            td class="hide" { (settings.trigger.describe(language)) small { code { (settings.trigger) } } }
            td {
                @if row.status.is_paused() { span class="st skip" { "‖ " (words.paused) } }
                @else if !settings.enabled { span class="st skip" { "– " (words.disabled) } }
                @else if let Some(next) = &row.status.next_run { (look::time_from(next.to_utc(), zone, now, words)) }
                @else { (words.none) }
                @if row.is_overdue { small class="st bad" { "⚠ " (words.overdue) } }
            }
            td {
                @if let Some(last) = &row.status.latest_execution {
                    a href={ "executions/" (last.id) } { (look::status(last.status, words)) }
                    @if let Some(at) = last.started_at { small { (look::distance(now - at)) " " (words.ago) } }
                } @else { (words.never) }
            }
            td class="hide" { (picture::bars(&row.recent, words)) }
            td class="act" {
                @if row.executes { (action::link("", Action::Trigger, row.id(), words)) }
                @if row.manages {
                    " " (action::link("", if row.status.is_paused() { Action::Resume } else { Action::Pause }, row.id(), words))
                }
            }
        }
    }
}
