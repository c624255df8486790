//! What ran in the last 12 hours, and what is due in the next 24.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use maud::{Markup, html};
use scheduler_core::{
    execution::Execution,
    status::Status,
    store::{ExecutionFilter, ExecutionQuery, PageStart},
};

use super::{
    Dashboard,
    jobs::{self, Row},
    look,
    visitor::Visitor,
    words::Words,
};
use crate::error::ApiError;

/// How far it looks back and ahead.
const BACK: TimeDelta = TimeDelta::hours(12);
const AHEAD: TimeDelta = TimeDelta::hours(24);
/// The picture's width, and where the jobs' names end.
const WIDTH: f64 = 1_190.0;
const LEFT: f64 = 190.0;
/// A job's height.
const LINE: usize = 22;
/// How many occurrences of a job are drawn; more are a band.
const MOST: usize = 100;
/// How many executions are read.
const ROWS: usize = 2_000;

/// `GET /timeline`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let handle = &dashboard.api.handle;
    let rows = jobs::rows(&dashboard, &visitor).await?;
    let (among, created_since) = (visitor.caller.scope().await?, Some(handle.now() - BACK));
    let filter = ExecutionFilter { among, created_since, ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: ROWS, count: false };
    let ran = handle.executions(&query).await?.executions;
    let content = html! {
        h1 { (words.timeline) }
        div class="card wide" tabindex="0" role="region" aria-label=(words.timeline) { (chart(&dashboard, &rows, &ran, words)) }
        p class="sub" { (words.legend) }
        @if let Some((at, count)) = busiest(&rows, handle.now()) {
            p { (words.busiest) ": " b { (look::time(at, chrono_tz::UTC)) } " · " (count) }
        }
    };
    Ok(visitor.page(words.timeline, content))
}

/// A line a job; the executions are those given, else the jobs' newest.
pub(super) fn chart(dashboard: &Dashboard, rows: &[Row], ran: &[Execution], words: &Words) -> Markup {
    let now = dashboard.api.handle.now();
    let zone = rows.first().map_or(chrono_tz::UTC, |row| row.status.job.settings().zone());
    let tall = 24 + rows.len() * LINE + 14;
    let hours = (0..=36).step_by(3).filter_map(|hour| {
        let at = (now - BACK).duration_trunc(TimeDelta::hours(1)).ok()? + TimeDelta::hours(hour);
        (at >= now - BACK && at <= now + AHEAD).then_some(at)
    });
    html! {
        svg class="chart" viewBox={ "0 0 " (WIDTH) " " (tall) } role="img" aria-label=(words.timeline) {
            @for at in hours {
                @let x = place(at, now);
                line x1=(x) y1="16" x2=(x) y2=(tall - 14) {}
                text x=(x) y="12" { (at.with_timezone(&zone).format("%H:%M")) }
            }
            @for (line, row) in rows.iter().enumerate() { (job(row, ran, 24 + line * LINE, now, words)) }
            @let x = place(now, now);
            line class="now" x1=(x) y1="14" x2=(x) y2=(tall - 14) {}
            text x=(x) y=(tall - 2) { (words.now) " " (now.with_timezone(&zone).format("%H:%M %Z")) }
        }
    }
}

fn job(row: &Row, ran: &[Execution], y: usize, now: DateTime<Utc>, words: &Words) -> Markup {
    let settings = row.status.job.settings();
    let of_job = |execution: &&Execution| execution.job_id == settings.id && execution.scheduled_at >= now - BACK;
    let past: Vec<_> =
        if ran.is_empty() { row.recent.iter().filter(of_job).collect() } else { ran.iter().filter(of_job).collect() };
    let runs = settings.enabled && !row.status.is_paused();
    let due = settings.trigger.upcoming(now).take_while(|at| *at < now + AHEAD).take(if runs { MOST + 1 } else { 0 });
    let due: Vec<_> = due.collect();
    html! {
        text x="0" y=(y + 12) { (settings.id.as_str().chars().take(30).collect::<String>()) }
        @for execution in past {
            rect class=(look::class(execution.status)) x=(place(execution.scheduled_at, now)) y=(y + 3) width=(width(execution)) height="12" rx="1" {
                title { (execution.scheduled_at.format("%H:%M:%S UTC")) " " (words.status_of(execution.status)) }
            }
        }
        @if due.len() > MOST {
            rect class="band" x=(place(now, now)) y=(y + 6) width=(format!("{:.1}", WIDTH - LEFT - (WIDTH - LEFT) / 3.0)) height="6" { title { (words.frequent) } }
        } @else {
            @for at in due {
                rect class="expected" x=(place(at, now)) y=(y + 3) width="4" height="12" rx="1" { title { (at.format("%H:%M:%S UTC")) } }
            }
        }
    }
}

fn place(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let share = (at - (now - BACK)).as_seconds_f64() / (BACK + AHEAD).as_seconds_f64();
    format!("{:.1}", LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT))
}

fn width(row: &Execution) -> String {
    let share = row.duration_seconds.unwrap_or_default() / (BACK + AHEAD).as_seconds_f64();
    let least = if row.status == Status::Missed { 5.0 } else { 3.0 };
    format!("{:.1}", (share * (WIDTH - LEFT)).max(least))
}

/// The minute in which most is due, if it is more than one; what is due in each minute anyway does not count.
fn busiest(rows: &[Row], now: DateTime<Utc>) -> Option<(DateTime<Utc>, usize)> {
    let mut minutes = BTreeMap::<DateTime<Utc>, usize>::new();
    for row in rows.iter().filter(|row| row.status.job.settings().enabled && !row.status.is_paused()) {
        let trigger = &row.status.job.settings().trigger;
        let due: Vec<_> = trigger.upcoming(now).take_while(|at| *at < now + AHEAD).take(MOST + 1).collect();
        for at in due.into_iter().take(MOST) {
            *minutes.entry(at.duration_trunc(TimeDelta::minutes(1)).ok()?).or_default() += 1;
        }
    }
    // Of equal ones the first.
    minutes.into_iter().rev().max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 1)
}
