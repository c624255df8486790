//! Where a run stands between its nominal instant and its end.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use scheduler_core::{execution::Execution, status::Status};
use scheduler_cron::NamedZone;

use crate::dashboard::{look, words::Words};

/// Due, started, finished: a line, with what lies between them.
pub(super) fn line(row: &Execution, now: DateTime<Utc>, zone: NamedZone, words: &Words) -> Markup {
    let never = row.started_at.is_none() && row.status.is_final();
    let lag = row.start_lag().map(|lag| {
        if lag < 0.001 {
            words.on_time.to_owned()
        } else {
            format!("{} {}", look::seconds(lag, words), words.lag_after)
        }
    });
    let runs_since = row.started_at.filter(|_| row.status == Status::Running);
    let took = match (row.duration_seconds, runs_since) {
        (Some(seconds), _) => Some(look::seconds(seconds, words)),
        (None, Some(at)) => Some(format!("{} …", look::distance(now - at, words))),
        (None, None) => None,
    };
    html! {
        ol class="card course" {
            li class="reached" { b { (words.due) } (look::time(row.scheduled_at, zone)) @if row.not_before > row.scheduled_at { small { (words.from) " " (look::time(row.not_before, zone)) } } }
            li class=[row.started_at.map(|_| "reached")] {
                b { (words.started) }
                @if let Some(at) = row.started_at { (look::time(at, zone)) } @else { span class="sub" { @if never { (words.never) } @else { (words.not_started) } } }
                @if let Some(lag) = lag { small { (lag) } }
            }
            li class=[row.finished_at.map(|_| "reached")] {
                b { (words.finished) }
                @if let Some(at) = row.finished_at { (look::time(at, zone)) } @else { span class="sub" { (words.not_finished) } }
                @if let Some(took) = took { small { (words.duration) " " b { (took) } } }
            }
        }
    }
}
