//! What one row says by itself.

use chrono::TimeDelta;

use super::{Invariant, Violation};
use crate::{execution::Execution, status::Status, store::EARLY_TOLERANCE};

pub(super) fn check(row: &Execution) -> Vec<Violation> {
    let mut violations = impossible(row);
    let tolerance = TimeDelta::from_std(EARLY_TOLERANCE).expect("50 ms");
    if let Some(started_at) = row.started_at.filter(|at| *at + tolerance < row.not_before.max(row.scheduled_at)) {
        let early = row.not_before.max(row.scheduled_at) - started_at;
        violations.push(Violation::of(
            Invariant::InTime,
            row,
            format!("it started {} ms before its time", early.num_milliseconds()),
        ));
    }
    violations
}

/// Fields that do not fit the status.
fn impossible(row: &Execution) -> Vec<Violation> {
    let has_run = row.started_at.is_some();
    let is_granted = has_run && row.fence.is_some() && row.instance.is_some();
    let has_ended = row.finished_at.is_some();
    let mut wrong = Vec::new();
    match row.status {
        Status::Pending if has_run || row.fence.is_some() || has_ended => wrong.push("it waits, and has run"),
        Status::Running if !is_granted => wrong.push("it runs without start, fence or instance"),
        Status::Running if has_ended => wrong.push("it runs, and has ended"),
        Status::Succeeded | Status::Failed | Status::TimedOut | Status::Abandoned if !is_granted || !has_ended => {
            wrong.push("it has ended without start, end, fence or instance");
        }
        Status::Cancelled if !has_ended || (has_run && !is_granted) => {
            wrong.push("it was cancelled without end, or ran without fence or instance");
        }
        Status::Skipped | Status::Missed if has_run || row.fence.is_some() => {
            wrong.push("it never ran, and has a start")
        }
        _ => {}
    }
    if row.started_at.zip(row.finished_at).is_some_and(|(started_at, finished_at)| finished_at < started_at) {
        wrong.push("it ended before it started");
    }
    if row.status.is_final() && (row.holds_key || row.queued) {
        wrong.push("it is over, and holds the job's key or its place in the queue");
    }
    if row.queued && row.status != Status::Pending {
        wrong.push("it runs, and is queued");
    }
    if row.missed_from.is_some() != row.missed_count.is_some()
        || row.missed_from.is_some_and(|from| from > row.scheduled_at)
        || (row.missed_from.is_some() && !matches!(row.status, Status::Missed | Status::Skipped))
    {
        wrong.push("its range is none");
    }
    wrong.into_iter().map(|what| Violation::of(Invariant::State, row, format!("{what}: {}", row.status))).collect()
}
