//! Whether what runs after a job follows on each of its occurrences that is over, and on nothing else (R24).

use std::collections::{BTreeMap, BTreeSet};

use super::{Invariant, LedgerJob, Violation};
use crate::{
    execution::Execution,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
};

/// The newest attempt of each job at each occurrence.
type Newest<'a> = BTreeMap<(&'a str, OccurrenceKey), &'a Execution>;

/// Checks the rows of all jobs, by id.
pub(super) fn check(jobs: &[LedgerJob], rows: &[&Execution]) -> Vec<Violation> {
    let newest: Newest<'_> = rows.iter().map(|row| ((row.job_id.as_str(), row.occurrence.clone()), *row)).collect();
    let roots: BTreeSet<OccurrenceKey> = newest.keys().map(|(_, key)| key.root()).collect();
    let dependants = jobs.iter().filter(|job| job.settings.enabled && job.settings.upstreams().next().is_some());
    dependants.flat_map(|job| roots.iter().filter_map(|root| check_one(job, root, &newest))).collect()
}

fn check_one(job: &LedgerJob, root: &OccurrenceKey, newest: &Newest<'_>) -> Option<Violation> {
    let key = OccurrenceKey::dependant(root);
    let at = |id: &str, key: &OccurrenceKey| newest.get(&(id, key.clone())).copied();
    // The chain's first job has the root's own key.
    let of = |id| [at(id, root), at(id, &key)].into_iter().flatten().max_by_key(|row| row.id);
    // Where one has no row, or none any more, nothing can be said.
    let upstreams = job.settings.upstreams().map(of).collect::<Option<Vec<&Execution>>>()?;
    let is_owed = upstreams.iter().all(|row| brings_something(job, row));
    let have_succeeded = upstreams.iter().all(|row| row.status == Status::Succeeded);
    match at(job.settings.id.as_str(), &key) {
        None => is_owed.then(|| {
            let what = format!("nothing was decided of {key}");
            Violation::new(Invariant::NoHole, &job.settings.id, None, what)
        }),
        Some(own) if own.reason == Some(Reason::Upstream) => (is_owed && have_succeeded).then(|| {
            let what = "it was skipped, and every job that it runs after has succeeded".to_owned();
            Violation::of(Invariant::NoHole, own, what)
        }),
        Some(own) => (!have_succeeded).then(|| {
            let what = "it was to run, and not every job that it runs after has succeeded".to_owned();
            Violation::of(Invariant::NotInvented, own, what)
        }),
    }
}

/// Whether an occurrence is over and was to run, while the dependant was known.
fn brings_something(job: &LedgerJob, row: &Execution) -> bool {
    let never_ran = matches!(row.status, Status::Skipped | Status::Missed) && row.reason != Some(Reason::Upstream);
    row.finished_at.is_some_and(|at| at > job.after && at <= job.until) && !never_ran
}
