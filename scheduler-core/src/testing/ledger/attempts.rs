//! The attempts at each occurrence.

use std::collections::BTreeMap;

use super::{Invariant, Violation};
use crate::{
    execution::Execution,
    job::{JobSettings, OnCrash},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
};

/// Checks one job's rows, by id.
pub(super) fn check(rows: &[&Execution], settings: Option<&JobSettings>) -> Vec<Violation> {
    let mut by_occurrence: BTreeMap<&OccurrenceKey, Vec<&Execution>> = BTreeMap::new();
    for row in rows {
        by_occurrence.entry(&row.occurrence).or_default().push(row);
    }
    let mut violations = Vec::new();
    for attempts in by_occurrence.values() {
        for (number, row) in (first_number(attempts, rows)..).zip(attempts) {
            if row.attempt != number {
                violations.push(Violation::of(
                    if row.attempt < number { Invariant::Once } else { Invariant::Attempts },
                    row,
                    format!("attempt {} of occurrence {} stands where {number} should", row.attempt, row.occurrence),
                ));
            }
            if row.attempt > row.max_attempts {
                let what = format!("attempt {} of at most {}", row.attempt, row.max_attempts);
                violations.push(Violation::of(Invariant::Attempts, row, what));
            }
        }
        for pair in attempts.windows(2) {
            violations.extend(follows(pair[0], pair[1], settings));
        }
    }
    violations
}

/// The number of an occurrence's first row: what was backfilled at the end of a range followed on the range's own row,
/// whose key has moved on with its end since.
fn first_number(attempts: &[&Execution], rows: &[&Execution]) -> u32 {
    let is_left_by_a_range = |first: &Execution| {
        let covers = |row: &&Execution| row.missed_from.is_some_and(|from| from <= first.scheduled_at);
        first.origin == Origin::Backfill
            && first.attempt == 2
            && rows.iter().filter(|row| row.scheduled_at > first.scheduled_at).any(covers)
    };
    if attempts.first().is_some_and(|first| is_left_by_a_range(first)) { 2 } else { 1 }
}

/// Whether an attempt may follow the one before.
fn follows(before: &Execution, next: &Execution, settings: Option<&JobSettings>) -> Option<Violation> {
    let what = if !may_be_followed(before, next, settings) {
        let reason = before.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("it follows on one that was {}{reason}", before.status)
    } else if next.fence.zip(before.fence).is_some_and(|(next, before)| next <= before) {
        "its fence is not above that of the attempt before".to_owned()
    // What came late had been given up before it ended.
    } else if next.started_at.zip(before.finished_at.filter(|_| !before.late)).is_some_and(|(start, end)| start < end) {
        "it started before the attempt before had ended".to_owned()
    } else {
        return None;
    };
    Some(Violation::of(Invariant::Attempts, next, format!("attempt {}: {what}", next.attempt)))
}

fn may_be_followed(before: &Execution, next: &Execution, settings: Option<&JobSettings>) -> bool {
    // The last attempt of an occurrence may be followed on request (R20), and then is the last again.
    let on_request = next.attempt == next.max_attempts;
    let reruns = || settings.is_none_or(|settings| settings.on_crash == OnCrash::Rerun);
    match before.status {
        // Of a status of a later version nothing is known that forbids another attempt.
        Status::Other(_) => true,
        Status::Pending | Status::Running | Status::Succeeded => false,
        Status::Failed | Status::TimedOut | Status::Skipped | Status::Missed => true,
        Status::Abandoned => before.reason == Some(Reason::UnknownCommit) || on_request || reruns(),
        Status::Cancelled => on_request || (before.reason == Some(Reason::Shutdown) && reruns()),
    }
}
