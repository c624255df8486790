//! How the jobs stand, in numbers that lead to what they count.

use chrono::TimeDelta;
use maud::{Markup, html};
use scheduler_core::store::{Summary, SummaryQuery};

use super::Row;
use crate::{
    dashboard::{Dashboard, look, visitor::Visitor, words::Words},
    error::ApiError,
    instance,
};

/// What the success rate and the start lag are of: seven days, and no more rows than are read in a few milliseconds.
const BACK: TimeDelta = TimeDelta::days(7);
const MOST: usize = 5_000;

/// What is not the jobs' own.
pub(super) struct Numbers {
    summary: Summary,
    instances: usize,
}

/// Two reads of the store.
pub(super) async fn read(dashboard: &Dashboard, visitor: &Visitor) -> Result<Numbers, ApiError> {
    let handle = &dashboard.api.handle;
    let query = SummaryQuery { among: visitor.caller.scope().await?, since: handle.now() - BACK, most: MOST };
    let (summary, instances) = tokio::try_join!(handle.summary(&query), handle.instances())?;
    let alive = instances.iter().filter(|one| instance::is_alive(one, &instances[0])).count();
    Ok(Numbers { summary, instances: alive })
}

pub(super) fn card(rows: &[Row], numbers: &Numbers, words: &Words) -> Markup {
    let Numbers { summary, instances } = numbers;
    let count = |state: &str| rows.iter().filter(|row| row.shows(state)).count();
    let one = |state: &str, class: &'static str, word: &str| {
        let count = count(state);
        html! { a href={ "?show=" (state) } { b class=[(count > 0).then_some(class)] { (count) } span { (word) } } }
    };
    // Of how much the numbers are: where that is not all of the time, by how many rows.
    let span = if summary.is_whole { words.days_7.to_owned() } else { format!("{} {}", words.newest, summary.rows) };
    let rate = summary.succeeded as f64 / summary.ended as f64 * 100.0;
    html! {
        div class="card kpis" {
            a href="?" { b { (rows.len()) } span { (words.jobs) } }
            (one("running", "st run", words.running))
            (one("failing", "st bad", words.failing))
            (one("paused", "st skip", words.paused))
            (one("overdue", "st warn", words.overdue))
            a href="executions?hours=168&status=failed,timed_out,abandoned" {
                b { @if summary.ended > 0 { (format!("{rate:.1} %")) } @else { "–" } } span { (words.success) ", " (span) }
            }
            a href="executions?hours=168&origin=schedule" {
                b { @if let Some(lag) = summary.start_lag_p95 { (look::seconds(lag, words)) } @else { "–" } } span { (words.lag) ", " (span) }
            }
            a href="instances" { b { (instances) } span { (words.instances) } }
        }
    }
}
