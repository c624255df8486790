//! The picture itself. Colours are the style sheet's, by class; what differs in meaning differs in shape, too.

use chrono::{DateTime, DurationRound as _, TimeDelta, Timelike as _, Utc};
use maud::{Markup, html};
use scheduler_core::execution::Execution;
use scheduler_cron::NamedZone;

use super::{
    AHEAD, BACK, Busiest, Canvas, Row,
    canvas::{BOTTOM, TOP},
};
use crate::dashboard::{look, words::Words};

/// A mark's height, and that of one which did not end well: it can be told without its colour.
const TALL: f64 = 12.0;
const TALLER: f64 = 18.0;
/// The least width of a mark.
const LEAST: f64 = 3.0;

/// A line a job.
pub(super) fn of(
    canvas: &Canvas,
    rows: &[Row],
    busiest: Option<&Busiest>,
    now: DateTime<Utc>,
    zone: NamedZone,
    words: &Words,
) -> Markup {
    let end = canvas.height(rows.len()) - BOTTOM;
    // Each in a line of its own, as they may be near each other.
    let (below, further_below) = (end + 14, end + 28);
    let tall = if busiest.is_some() { further_below } else { below } + 4;
    let present = canvas.x(now, now);
    html! {
        svg class=(canvas.class) viewBox={ "0 0 " (canvas.width) " " (tall) } role="group" aria-label=(words.timeline) {
            @for (at, label) in hours(canvas, now, zone) {
                @let x = canvas.x(at, now);
                line x1=(units(x)) y1="16" x2=(units(x)) y2=(end) {}
                // One that would be cut, or stand over the one before it, is left out.
                @if canvas.beside(x, long(&label)).1 == "start" { text x=(units(x + 3.0)) y="12" { (label) } }
            }
            @if let Some(Busiest { at, jobs }) = busiest {
                @let x = canvas.x(*at, now);
                @let label = format!("▲ {} · {} {}", at.with_timezone(&zone).format("%H:%M"), jobs.len(), words.due_at_once);
                @let (beside, anchor) = canvas.beside(x, long(&label));
                line class="busiest" x1=(units(x)) y1="14" x2=(units(x)) y2=(end) {}
                text class="busiest" x=(units(beside)) y=(further_below) text-anchor=(anchor) { (label) }
            }
            @for (line, row) in rows.iter().enumerate() { (job(canvas, row, TOP + line * canvas.line, now, zone, words)) }
            line class="now" x1=(units(present)) y1="14" x2=(units(present)) y2=(end) {}
            text class="now" x=(units(present - 3.0)) y=(below) text-anchor="end" { (words.now) " " (now.with_timezone(&zone).format("%H:%M %Z")) }
        }
    }
}

/// A mark as the legend shows it.
pub(super) fn sample(class: &str) -> Markup {
    html! {
        svg class="mark" width="16" height="18" viewBox="0 0 16 18" aria-hidden="true" {
            @match class {
                "band" => rect class="expected" x="1" y="6" width="14" height="6" {},
                "unread" => rect class="unread" x="0" y="8" width="16" height="2" {},
                "bad" => rect class="bad" x="5" y="0" width="5" height="18" rx="1" {},
                class => rect class=(class) x="5" y="3" width="5" height="12" rx="1" {},
            }
        }
    }
}

/// The hours that have a line: those that a clock of the zone shows, midnight with its date.
fn hours(canvas: &Canvas, now: DateTime<Utc>, zone: NamedZone) -> Vec<(DateTime<Utc>, String)> {
    let Ok(first) = (now - BACK).duration_trunc(TimeDelta::minutes(15)) else { return Vec::new() };
    // Zones differ from each other by quarters of an hour.
    let quarters = (1..=36 * 4).map(|quarter| first + TimeDelta::minutes(15) * quarter);
    let shown = quarters.filter_map(|at| {
        let local = at.with_timezone(&zone);
        let is_shown = local.minute() == 0 && local.hour() % canvas.hours == 0 && at <= now + AHEAD;
        let format = if local.hour() == 0 { "%m-%d" } else { "%H:%M" };
        is_shown.then(|| (at, local.format(format).to_string()))
    });
    shown.collect()
}

fn job(canvas: &Canvas, row: &Row, y: usize, now: DateTime<Utc>, zone: NamedZone, words: &Words) -> Markup {
    let settings = row.job.settings();
    let id = settings.id.as_str();
    let name: String = id.chars().take(canvas.name).collect();
    let past: Vec<_> =
        row.recent.iter().filter(|row| row.scheduled_at >= now - BACK && row.scheduled_at <= now).collect();
    let due = settings.trigger.upcoming(now).take_while(|at| *at < now + AHEAD);
    let due: Vec<_> = due.take(if row.runs() { canvas.most + 1 } else { 0 }).collect();
    let oldest = row.recent.last().filter(|_| row.has_more).map(|row| row.scheduled_at);
    let middle = (y + canvas.marks) as f64 + TALL / 2.0;
    html! {
        a href={ "jobs/" (id) } { text x="0" y=(if canvas.left > 0.0 { y + canvas.marks + 10 } else { y + 12 }) { (name) @if name.len() < id.len() { "…" } } }
        @if let Some(oldest) = oldest.filter(|oldest| *oldest > now - BACK) {
            rect class="unread" x=(units(canvas.left)) y=(units(middle - 1.0)) width=(units(canvas.x(oldest, now) - canvas.left)) height="2" { title { (words.unread) } }
        }
        @if past.len() > canvas.most { (parts(canvas, &past, middle, now, words)) }
        @else { @for execution in past { (ran(canvas, execution, middle, now, settings.trigger.zone().unwrap_or(zone), words)) } }
        @if due.len() > canvas.most {
            @let from = canvas.x(due[0], now);
            rect class="expected" x=(units(from)) y=(units(middle - 3.0)) width=(units(canvas.width - from - 1.0)) height="6" { title { (words.frequent) } }
        } @else if let Some(next) = due.first() {
            path class="expected" d=(marks(canvas, &due, middle, now)) {
                title { (due.len()) " " (words.expected) ", " (next.with_timezone(&settings.trigger.zone().unwrap_or(zone)).format("%Y-%m-%d %H:%M:%S %Z")) }
            }
        }
    }
}

/// One that ran, or should have. With a pointer it is told and led to; by the keyboard it is reached through the job.
fn ran(canvas: &Canvas, row: &Execution, middle: f64, now: DateTime<Utc>, zone: NamedZone, words: &Words) -> Markup {
    let class = look::class(row.status);
    let tall = if class == "bad" { TALLER } else { TALL };
    let seconds = row.duration_seconds.or_else(|| Some((now - row.started_at?).as_seconds_f64())).unwrap_or_default();
    // A row of many that were missed, or skipped, is as wide as the time that it covers.
    let x = canvas.x(row.missed_from.unwrap_or(row.scheduled_at), now);
    let covered = canvas.x(row.scheduled_at, now) - x + canvas.wide(seconds);
    let wide = covered.max(if class == "miss" { LEAST + 2.0 } else { LEAST });
    let (y, wide, tall) = (middle - tall / 2.0, units(wide), units(tall));
    if !canvas.has_links {
        return html! { rect class=(class) x=(units(x)) y=(units(y)) width=(wide) height=(tall) {} };
    }
    html! {
        a href={ "executions/" (row.id) } tabindex="-1" aria-hidden="true" {
            rect class=(class) x=(units(x)) y=(units(y)) width=(wide) height=(tall) rx="1" {
                title {
                    (row.scheduled_at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %Z")) " " (words.status_of(row.status))
                    @if let Some(seconds) = row.duration_seconds { " · " (look::seconds(seconds, words)) }
                    @if let Some(many) = row.missed_count { " · " (many) }
                }
            }
        }
    }
}

/// A band of what ran often: each part is as the worst that ran in it.
fn parts(canvas: &Canvas, newest_first: &[&Execution], middle: f64, now: DateTime<Utc>, words: &Words) -> Markup {
    let part_of = |row: &&Execution| row.scheduled_at.duration_trunc(canvas.part).unwrap_or(row.scheduled_at);
    let parts: Vec<_> = newest_first.chunk_by(|a, b| part_of(a) == part_of(b)).collect();
    let wide = canvas.wide(canvas.part.as_seconds_f64());
    html! {
        @for rows in parts {
            @let failed = rows.iter().filter(|row| look::class(row.status) == "bad").count();
            @let classes = ["bad", "miss", "run", "ok"];
            @let class = classes.into_iter().find(|class| rows.iter().any(|row| look::class(row.status) == *class)).unwrap_or("skip");
            @let tall = if class == "bad" { TALLER } else { 8.0 };
            @let from = canvas.x(part_of(&rows[0]), now);
            rect class=(class) x=(units(from)) y=(units(middle - tall / 2.0)) width=(units(wide.min(canvas.x(now, now) - from))) height=(units(tall)) {
                title { (rows.len()) " " (words.executions) @if failed > 0 { ", " (failed) " " (words.failed) } }
            }
        }
    }
}

/// What is to come, as one path.
fn marks(canvas: &Canvas, due: &[DateTime<Utc>], middle: f64, now: DateTime<Utc>) -> String {
    let one = |at: &DateTime<Utc>| {
        let x = canvas.x(*at, now).min(canvas.width - 4.0);
        format!("M{x:.1} {:.1}h3v{TALL}h-3z", middle - TALL / 2.0)
    };
    due.iter().map(one).collect()
}

/// About how long a text is.
fn long(text: &str) -> f64 {
    text.chars().count() as f64 * 6.5
}

/// A length, to a tenth.
fn units(length: f64) -> String {
    format!("{:.1}", length.max(0.0))
}
