//! What ran in the last 12 hours, and what is due in the next 24.

mod busiest;
mod canvas;
mod chart;

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use busiest::Busiest;
use canvas::Canvas;

use super::{
    Dashboard,
    jobs::{self, Row},
    look,
    visitor::Visitor,
    words::Words,
    zone,
};
use crate::error::ApiError;

/// How far it looks back and ahead.
const BACK: TimeDelta = TimeDelta::hours(12);
const AHEAD: TimeDelta = TimeDelta::hours(24);
/// How many executions are read of each job: one every five minutes. What is older is told not to be drawn.
const EACH: usize = 150;

/// `GET /timeline`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let handle = &dashboard.api.handle;
    let rows = jobs::rows(&dashboard, &visitor, EACH).await?;
    let busiest = Busiest::of(&rows, handle.now());
    let content = html! {
        h1 { (words.timeline) }
        @if rows.is_empty() { div class="card note empty" { p { b { (words.no_jobs) } } p { (words.no_jobs_help) } } }
        @else { (card(&dashboard, &rows, busiest.as_ref(), words)) }
        @if let Some(Busiest { at, jobs, .. }) = &busiest {
            p {
                "▲ " (words.busiest) ": " b { (look::time(*at, zone::home(handle))) } " · " (jobs.len()) " " (words.due_at_once) ": "
                @for id in jobs { a href={ "jobs/" (id) } { (id) } " " }
            }
        }
    };
    Ok(visitor.page(words.timeline, content))
}

/// The picture: once for wide screens, once for narrow ones, whose style sheet shows one of them.
pub(super) fn card(dashboard: &Dashboard, rows: &[Row], busiest: Option<&Busiest>, words: &Words) -> Markup {
    let now = dashboard.api.handle.now();
    let zone = zone::home(&dashboard.api.handle);
    let local = now.with_timezone(&zone);
    html! {
        div id="timeline" class="card wide" tabindex="0" role="region" aria-label=(words.timeline) {
            @for canvas in [Canvas::WIDE, Canvas::NARROW] { (chart::of(&canvas, rows, busiest, now, zone, words)) }
        }
        p class="legend sub" {
            @for (class, word) in [
                ("ok", words.succeeded), ("bad", words.failed), ("run", words.running), ("miss", words.missed),
                ("skip", words.skipped), ("expected", words.expected), ("band", words.band), ("unread", words.unread),
            ] { span { (chart::sample(class)) (word) } }
            span { (words.times_in) " " b { (zone.name()) " (" (local.format("%Z")) ")" } }
        }
    }
}
