//! The jobs as a table.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use scheduler_core::{execution::Execution, status::Status, store::Action};

use super::Row;
use crate::dashboard::{Dashboard, action, look, picture, visitor::Visitor, words::Words, zone};

pub(super) fn of(rows: &[&Row], dashboard: &Dashboard, visitor: &Visitor) -> Markup {
    let words = visitor.frame.words;
    html! {
        table {
            thead {
                tr {
                    @for name in [words.job, words.schedule, words.next_run, words.last_run, words.last_runs] {
                        th scope="col" { (name) }
                    }
                    th scope="col" class="act" { (words.actions) }
                }
            }
            tbody { @for row in rows { (job(row, dashboard, visitor)) } }
        }
    }
}

fn job(row: &Row, dashboard: &Dashboard, visitor: &Visitor) -> Markup {
    let (words, language) = (visitor.frame.words, visitor.frame.language);
    let settings = row.job.settings();
    let (zone, now) = (zone::of(&dashboard.api.handle, row.id()), dashboard.api.handle.now());
    html! {
        tr class=[(row.is_failing() || row.is_overdue).then_some("attn")] {
            td class="name" {
                a class="id" href={ "jobs/" (row.id()) } { (row.id()) }
                small { (look::text(settings.description.as_deref().unwrap_or(&settings.name), words)) }
            }
            td { (settings.trigger.describe(language)) small { code { (settings.trigger) } } }
            td {
                @if row.is_paused { span class="st skip" { "‖ " (words.paused) } }
                @else if !settings.enabled { span class="st skip" { "– " (words.disabled) } }
                @else if let Some(next) = row.next { (look::time_from(next, zone, now, words)) }
                @else { (words.none) }
                @if row.is_overdue { small class="st warn" { "⚠ " (words.overdue) } }
            }
            td {
                @if !row.is_known { span class="st skip" { "? " (words.unknown) } }
                @else if let Some(last) = &row.latest { (self::last(last, now, words)) }
                @else { (words.never) }
            }
            td class="spark" { (picture::bars(&row.recent, words)) }
            td class="act" {
                @if row.executes { (action::link("", Action::Trigger, row.id(), words)) }
                @if row.manages { " " (action::link("", if row.is_paused { Action::Resume } else { Action::Pause }, row.id(), words)) }
            }
        }
    }
}

/// When it ran, for how long, as which attempt, and what went wrong.
fn last(last: &Execution, now: DateTime<Utc>, words: &Words) -> Markup {
    html! {
        a href={ "executions/" (last.id) } { (look::status(last.status, words)) }
        small {
            @if let Some(at) = last.started_at { (look::relative(at, now, words)) }
            @if let Some(seconds) = last.duration_seconds { " · " (look::seconds(seconds, words)) }
            @if last.attempt > 1 || look::class(last.status) == "bad" { " · " (look::attempt(last, words)) }
            @if let Some(reason) = last.reason { " · " (words.reason_of(reason)) }
            @else if last.status != Status::Succeeded { @if let Some(message) = &last.message { " · " (look::line(message, 60, words)) } }
        }
    }
}
