//! What one execution said: its log lines, and how far it is.

use axum::http::Uri;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use scheduler_core::{
    SchedulerHandle,
    execution::{Execution, Progress},
    logs::{FIRST_LINES, LAST_LINES, LogLevel},
    status::Status,
    store::{LogLine, LogQuery, LogStart},
};
use scheduler_cron::NamedZone;

use super::{look, words::Words};
use crate::{error::ApiError, query::Query};

/// How many of the last lines are shown unless all are asked for.
const SHOWN: usize = 200;

/// How long after an execution's end its last lines may still come.
const LAST_WORDS: TimeDelta = TimeDelta::seconds(5);

/// The lines of an execution that has started: the last ones, or all that are kept where `?lines=all` asks for them.
pub(super) async fn section(
    handle: &SchedulerHandle,
    row: &Execution,
    uri: &Uri,
    zone: NamedZone,
    words: &Words,
) -> Result<Markup, ApiError> {
    if row.started_at.is_none() {
        return Ok(html! {});
    }
    let is_all = Query::of_form(uri)?.get("lines")? == Some("all");
    let limit = if is_all { FIRST_LINES + LAST_LINES } else { SHOWN };
    let query = LogQuery { execution_id: row.id, start: LogStart::Last, level: LogLevel::Trace, limit };
    let page = handle.logs(&query).await?;
    let earlier = page.kept.saturating_sub(page.lines.len() as u64);
    Ok(html! {
        section data-again=[may_say_more(row, handle.now()).then_some("")] {
            h2 id="log" { (words.log) }
            div class="card" {
                @if page.dropped() > 0 { p class="note" { (page.dropped()) " " (words.lines_dropped) } }
                @if earlier > 0 { p class="note" { (earlier) " " (words.lines_earlier) " " a href="?lines=all#log" { (words.lines_all) } } }
                @if page.lines.is_empty() { p class="note" { (words.no_lines) span class="sub" { (words.no_lines_help) } } }
                @else { (table(&page.lines, zone, words)) }
            }
        }
    })
}

/// Whether an execution's lines may change: its page is then read again.
fn may_say_more(row: &Execution, now: DateTime<Utc>) -> bool {
    row.status == Status::Running || row.finished_at.is_some_and(|at| now - at < LAST_WORDS)
}

fn table(lines: &[LogLine], zone: NamedZone, words: &Words) -> Markup {
    html! {
        table class="log" {
            thead { tr { th { (words.at) } th { (words.level) } th { (words.source) } th { (words.message) } } }
            tbody {
                @for line in lines {
                    tr {
                        td { (look::time(line.at, zone)) }
                        td { (level(line.level)) }
                        td { (look::text(&line.target, words)) }
                        td class="said" { (look::text(&line.message, words)) }
                    }
                }
            }
        }
    }
}

/// A level: icon, word and colour. The word is what code and log say, in every language.
fn level(level: LogLevel) -> Markup {
    let (class, icon) = match level {
        LogLevel::Error => ("bad", "✕"),
        LogLevel::Warn => ("warn", "⚠"),
        LogLevel::Info => ("run", "●"),
        LogLevel::Debug => ("skip", "○"),
        _ => ("skip", "·"),
    };
    html! { span class={ "st " (class) } { (icon) " " (level) } }
}

/// How far an execution is: a bar, and in words.
pub(super) fn progress(progress: Progress, words: &Words) -> Markup {
    let Progress { done, total } = progress;
    // A bar has room for something; of nothing, all is done.
    let (value, max) = if total == 0 { (1, 1) } else { (done, total) };
    html! {
        progress value=(value) max=(max) aria-label=(words.progress) {}
        " " (done) " / " (total) " (" (progress.percent()) " %)"
    }
}
