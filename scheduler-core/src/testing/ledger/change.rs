//! What may become of a row between two readings.

use std::collections::BTreeMap;

use super::{Invariant, Violation};
use crate::{
    execution::Execution,
    identity::ExecutionId,
    status::{Reason, Status},
};

/// Checks what became of rows from one reading to a later one: a final row stays as it is, but for a lost run's late
/// outcome, a claim that turns out to be without a body, and a range that grows; what runs does not go back to waiting; a grant stays as it was given.
///
/// Rows that are gone were pruned, and rows that are new have no past.
#[must_use]
pub fn check_change(before: &[Execution], after: &[Execution]) -> Vec<Violation> {
    let before: BTreeMap<ExecutionId, &Execution> = before.iter().map(|row| (row.id, row)).collect();
    let pairs = after.iter().filter_map(|row| Some((*before.get(&row.id)?, row)));
    let changes = pairs.filter_map(|(old, new)| Some(Violation::of(Invariant::State, new, change(old, new)?)));
    changes.collect()
}

/// What is wrong with a change.
fn change(old: &Execution, new: &Execution) -> Option<String> {
    let is_another = (&old.job_id, old.attempt, old.origin) != (&new.job_id, new.attempt, new.origin);
    let is_range = old.missed_from.is_some();
    if is_another || (!is_range && (&old.occurrence, old.scheduled_at) != (&new.occurrence, new.scheduled_at)) {
        return Some("it became a row of something else".to_owned());
    }
    if is_range && (old.missed_from != new.missed_from || old.scheduled_at > new.scheduled_at) {
        return Some("its range shrank".to_owned());
    }
    let is_grant_lost =
        old.fence.is_some() && (old.fence, old.instance, old.started_at) != (new.fence, new.instance, new.started_at);
    if is_grant_lost {
        return Some("its grant became another's".to_owned());
    }
    let comes_late = old.status == Status::Abandoned && new.late;
    let goes_on = old.status == new.status
        || match old.status {
            Status::Pending => true,
            Status::Running => new.status != Status::Pending && !matches!(new.status, Status::Skipped | Status::Missed),
            _ => comes_late,
        };
    if !goes_on {
        return Some(format!("it was {} and became {}", old.status, new.status));
    }
    // A claim without a body, of which recovery could not know that it had none, is told so afterwards (R8).
    let is_told = old.status == Status::Abandoned && new.reason == Some(Reason::UnknownCommit);
    let may_be_rewritten = !old.status.is_final() || comes_late || is_told;
    let is_rewritten = !may_be_rewritten && (old.finished_at, &old.message) != (new.finished_at, &new.message);
    is_rewritten.then(|| "its outcome was written again".to_owned())
}
