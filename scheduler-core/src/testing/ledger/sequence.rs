//! One job's grants, one after another.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Invariant, Violation};
use crate::{
    execution::Execution,
    identity::InstanceId,
    job::{JobSettings, OverlapPolicy},
};

/// How much before the end of the run before it a run may say that it started: a claim reads the clock, and then waits for
/// the holder's end to commit; and one that drew its fence again has the start of its first.
const STAMP: TimeDelta = TimeDelta::milliseconds(100);

/// Checks one job's rows, by id.
pub(super) fn check(rows: &[&Execution], settings: Option<&JobSettings>) -> Vec<Violation> {
    let mut violations = fences(rows);
    if settings.is_some_and(|settings| settings.overlap != OverlapPolicy::Allow) {
        // A key for each instance that has its own (R26).
        let mut by_key: BTreeMap<Option<InstanceId>, Vec<&Execution>> = BTreeMap::new();
        for row in rows {
            by_key.entry(row.for_instance).or_default().push(row);
        }
        for rows in by_key.values() {
            violations.extend(overlaps(rows));
            violations.extend(held(rows, "holds the job's key", |row| row.holds_key));
            violations.extend(held(rows, "is queued", |row| row.queued));
        }
    }
    violations
}

/// The rows that have a fence, lowest first.
fn granted<'a>(rows: &[&'a Execution]) -> Vec<&'a Execution> {
    let mut granted: Vec<_> = rows.iter().copied().filter(|row| row.fence.is_some()).collect();
    granted.sort_by_key(|row| row.fence);
    granted
}

fn fences(rows: &[&Execution]) -> Vec<Violation> {
    let granted = granted(rows);
    let mut violations = Vec::new();
    for pair in granted.windows(2) {
        if pair[0].fence == pair[1].fence {
            let what = format!("its fence is execution {}'s as well", pair[0].id);
            violations.push(Violation::of(Invariant::Fences, pair[1], what));
        } else if pair[1].started_at.map(|at| at + STAMP) < pair[0].started_at {
            let what = format!("it started before execution {}, whose fence is lower", pair[0].id);
            violations.push(Violation::of(Invariant::Fences, pair[1], what));
        }
    }
    violations
}

fn overlaps(rows: &[&Execution]) -> Vec<Violation> {
    let mut violations = Vec::new();
    // How long the runs before have lasted. One whose outcome came late had been given up at an instant unknown.
    let mut busy: Option<&Execution> = None;
    for row in granted(rows) {
        let Some(started_at) = row.started_at else { continue };
        if let Some(before) = busy.filter(|before| before.finished_at.is_none_or(|ended| ended > started_at + STAMP)) {
            let what = format!("it started while execution {} ran", before.id);
            violations.push(Violation::of(Invariant::OneAtATime, row, what));
        }
        let lasts_longer = |before: &Execution| match (before.finished_at, row.finished_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(before), Some(ended)) => before > ended,
        };
        if !row.late && !busy.is_some_and(lasts_longer) {
            busy = Some(row);
        }
    }
    violations
}

/// What one row of a job may do at a time.
fn held(rows: &[&Execution], what: &str, is_held: impl Fn(&Execution) -> bool) -> Vec<Violation> {
    let holders = rows.iter().filter(|row| is_held(row)).skip(1);
    holders.map(|row| Violation::of(Invariant::OneAtATime, row, format!("it {what}, as another row does"))).collect()
}
