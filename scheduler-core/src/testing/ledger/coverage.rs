//! What a trigger names, and what was decided.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{Invariant, LedgerJob, Violation};
use crate::{
    execution::Execution,
    occurrence::{OccurrenceKey, Origin},
    store::EARLY_TOLERANCE,
};

/// Checks one job's rows against its trigger.
pub(super) fn check(job: &LedgerJob, rows: &[&Execution]) -> Vec<Violation> {
    let is_first = |row: &&Execution| row.attempt == 1 && row.occurrence.scheduled_at().is_some();
    let decided = rows.iter().copied().filter(is_first).filter(|row| row.scheduled_at > job.after);
    let (mut ranges, own): (Vec<_>, Vec<_>) = decided.partition(|row| row.missed_from.is_some());
    ranges.sort_by_key(|range| range.missed_from);
    let mut violations = holes(job, &own, &ranges);
    violations.extend(own.iter().chain(&ranges).filter_map(|row| invented(job, row)));
    violations.extend(own.iter().filter_map(|row| untimely(job, row)));
    violations.extend(ranges.iter().filter_map(|range| miscounted(job, range, &own)));
    violations.extend(ranges.windows(2).filter_map(|pair| crossing(pair[0], pair[1])));
    violations
}

fn holes(job: &LedgerJob, own: &[&Execution], ranges: &[&Execution]) -> Vec<Violation> {
    let settings = &job.settings;
    // What each instance runs for itself is owed by none (R26).
    if !settings.enabled || settings.every_instance {
        return Vec::new();
    }
    let own: BTreeSet<DateTime<Utc>> = own.iter().map(|row| row.scheduled_at).collect();
    let mut ranges = ranges.iter().peekable();
    let mut in_ranges_until = DateTime::<Utc>::MIN_UTC;
    let mut violations = Vec::new();
    for at in settings.trigger.occurrences_between(job.after, job.until) {
        while let Some(range) = ranges.next_if(|range| range.missed_from.is_some_and(|from| from <= at)) {
            in_ranges_until = in_ranges_until.max(range.scheduled_at);
        }
        if at > in_ranges_until && !own.contains(&at) {
            let what = format!("nothing was decided of {}", show(at));
            violations.push(Violation::new(Invariant::NoHole, &settings.id, None, what));
        }
    }
    violations
}

fn invented(job: &LedgerJob, row: &Execution) -> Option<Violation> {
    let ends = [Some(row.scheduled_at), row.missed_from];
    let key = OccurrenceKey::scheduled(row.scheduled_at);
    let what = if let Some(end) = ends.into_iter().flatten().find(|end| !job.settings.trigger.covers(*end)) {
        format!("the trigger does not name {}", show(end))
    } else if row.occurrence != key {
        format!("its key is {} in place of {key}", row.occurrence)
    } else {
        return None;
    };
    Some(Violation::of(Invariant::NotInvented, row, what))
}

/// A row that ran on the schedule's behalf, though the occurrence's jitter was not over, or it was made after the start deadline.
fn untimely(job: &LedgerJob, row: &Execution) -> Option<Violation> {
    let started_at = row.started_at.filter(|_| row.origin == Origin::Schedule)?;
    let instance = row.instance?;
    // What starts before its own row's time is told by the row alone.
    let not_before = Some(job.settings.not_before(row.scheduled_at, instance)).filter(|at| *at > row.not_before);
    let early = not_before.map_or(TimeDelta::zero(), |at| at - started_at);
    let late = row.created_at - job.settings.deadline(row.scheduled_at, instance);
    let what = if early > TimeDelta::from_std(EARLY_TOLERANCE).expect("50 ms") {
        format!("it started {} ms before its jitter was over", early.num_milliseconds())
    } else if late >= TimeDelta::zero() {
        format!("it was claimed {} ms after its start deadline", late.num_milliseconds())
    } else {
        return None;
    };
    Some(Violation::of(Invariant::InTime, row, what))
}

/// A range whose count is not that of its occurrences without rows of their own.
fn miscounted(job: &LedgerJob, range: &Execution, own: &[&Execution]) -> Option<Violation> {
    // What was backfilled since is still in the count, and of a range from before the span not all rows are known.
    let from = range.missed_from.filter(|from| *from > job.after)?;
    let own = own.iter().filter(|row| row.origin != Origin::Backfill).map(|row| row.scheduled_at);
    let own: BTreeSet<_> = own.filter(|at| (from..=range.scheduled_at).contains(at)).collect();
    let span = job.settings.trigger.occurrences_between(from - TimeDelta::milliseconds(1), range.scheduled_at);
    let counted = span.filter(|at| !own.contains(at)).count() as u64;
    (range.missed_count != Some(counted)).then(|| {
        let said = range.missed_count.unwrap_or_default();
        Violation::of(Invariant::Once, range, format!("its range has {counted} occurrences, and it says {said}"))
    })
}

fn crossing(range: &Execution, next: &Execution) -> Option<Violation> {
    let crosses = next.missed_from.is_some_and(|from| from <= range.scheduled_at);
    crosses.then(|| {
        let what = format!("its range begins in that of execution {}", range.id);
        Violation::of(Invariant::Once, next, what)
    })
}

fn show(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
