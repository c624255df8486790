//! Occurrences that went by and are not known to be below the watermark: what the duty `decide` looks at (R12).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use chrono::{DateTime, Utc};

use super::{JobIndex, agenda::Due};

/// How many occurrences of a job are remembered as decided above its watermark; of more the store is asked.
const REMEMBERED: usize = 1_000;

/// What went by, by job.
#[derive(Debug, Default)]
pub(crate) struct Undecided(Mutex<BTreeMap<JobIndex, Passed>>);

/// What went by of one job above its last known watermark.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    /// The first one.
    pub(crate) first: Due,
    /// The nominal instant of the last one.
    last: DateTime<Utc>,
    /// Those of which an answer of the store said that they have their row, in no order.
    pub(crate) settled: Vec<DateTime<Utc>>,
    /// Those of which a claim waits or is on its way here, each as long as its claim lives.
    under_way: Vec<(DateTime<Utc>, Weak<()>)>,
    /// Whether the job was paused when it was last looked at: what falls in a pause is decided at its end (R23).
    pub(crate) is_paused: bool,
}

/// A claim of an occurrence that waits or is on its way; however it ends, nothing is under way once this is dropped.
#[derive(Debug)]
pub(crate) struct Claiming(#[expect(dead_code, reason = "held, not read")] Arc<()>);

impl Passed {
    /// Whether a claim of this occurrence is under way here.
    pub(crate) fn is_under_way(&self, scheduled_at: DateTime<Utc>) -> bool {
        self.under_way.iter().any(|(at, claim)| *at == scheduled_at && claim.strong_count() > 0)
    }
}

impl Undecided {
    /// Notes an occurrence; an earlier one of the job stays the first.
    pub(crate) fn note(&self, due: Due) {
        let mut jobs = self.lock();
        let passed = jobs.entry(due.job).or_insert_with(|| Passed {
            first: due,
            last: due.scheduled_at,
            settled: Vec::new(),
            under_way: Vec::new(),
            is_paused: false,
        });
        if due.not_before < passed.first.not_before {
            passed.first = due;
        }
        passed.last = passed.last.max(due.scheduled_at);
    }

    /// Notes that an occurrence has its row, as a claim's answer says. An answer of the lock backend says nothing of the kind:
    /// whoever was let through may have died before its claim.
    pub(crate) fn settle(&self, job: JobIndex, scheduled_at: DateTime<Utc>) {
        if let Some(passed) = self.lock().get_mut(&job).filter(|passed| passed.settled.len() < REMEMBERED) {
            passed.settled.push(scheduled_at);
        }
    }

    /// Notes that an occurrence is being claimed, as long as the answer lives.
    pub(crate) fn claim(&self, job: JobIndex, scheduled_at: DateTime<Utc>) -> Claiming {
        let claim = Arc::new(());
        if let Some(passed) = self.lock().get_mut(&job) {
            passed.under_way.retain(|(_, claim)| claim.strong_count() > 0);
            passed.under_way.push((scheduled_at, Arc::downgrade(&claim)));
        }
        Claiming(claim)
    }

    /// What went by of each job that has an occurrence due at or before `until`.
    pub(crate) fn until(&self, until: DateTime<Utc>) -> Vec<(JobIndex, Passed)> {
        let jobs = self.lock();
        let due = jobs.iter().filter(|(_, passed)| passed.first.not_before <= until);
        due.map(|(job, passed)| (*job, passed.clone())).collect()
    }

    /// Forgets what was settled: the store may have lost it since, as one that is restored from a backup has.
    pub(crate) fn doubt(&self) {
        self.lock().values_mut().for_each(|passed| passed.settled.clear());
    }

    /// Notes that the job is paused.
    pub(crate) fn pause(&self, job: JobIndex) {
        if let Some(passed) = self.lock().get_mut(&job) {
            passed.is_paused = true;
        }
    }

    /// Lets go of what lies at or below the watermark; `next` is the first occurrence above it.
    pub(crate) fn pass(&self, job: JobIndex, watermark: DateTime<Utc>, next: Option<Due>) {
        let mut jobs = self.lock();
        let Some(passed) = jobs.get_mut(&job) else { return };
        // Another may have gone by since the watermark was moved: it is kept.
        match next.filter(|_| passed.last > watermark) {
            Some(next) => {
                passed.first = next;
                passed.is_paused = false;
                passed.settled.retain(|settled| *settled > watermark);
            }
            None => drop(jobs.remove(&job)),
        }
    }

    /// Forgets a job, whose occurrences this instance does not start any more.
    pub(crate) fn forget(&self, job: JobIndex) {
        self.lock().remove(&job);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobIndex, Passed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("within chrono's range")
    }

    fn due(second: i64) -> Due {
        Due::at_its_instant(7, at(second))
    }

    #[test]
    fn what_goes_by_while_a_look_is_under_way_is_kept() {
        let undecided = Undecided::default();
        undecided.note(due(10));
        assert_eq!(undecided.until(at(12)).len(), 1);
        undecided.note(due(11));
        undecided.pass(7, at(10), Some(due(11)));
        assert_eq!(undecided.until(at(12))[0].1.first, due(11));
        undecided.pass(7, at(11), Some(due(12)));
        assert!(undecided.until(at(100)).is_empty());
    }

    #[test]
    fn what_is_settled_is_remembered_until_the_watermark_has_passed_it() {
        let undecided = Undecided::default();
        undecided.settle(7, at(9));
        undecided.note(due(10));
        undecided.note(due(11));
        undecided.settle(7, at(10));
        undecided.settle(7, at(11));
        assert_eq!(undecided.until(at(12))[0].1.settled, [at(10), at(11)]);
        undecided.pass(7, at(10), Some(due(11)));
        assert_eq!(undecided.until(at(12))[0].1.settled, [at(11)]);
    }

    #[test]
    fn a_claim_is_under_way_until_it_is_dropped() {
        let undecided = Undecided::default();
        undecided.note(due(10));
        undecided.note(due(11));
        let claim = undecided.claim(7, at(11));
        let is_under_way = |second| undecided.until(at(12))[0].1.is_under_way(at(second));
        assert!(!is_under_way(10) && is_under_way(11));
        drop(claim);
        assert!(!is_under_way(11));
    }

    #[test]
    fn what_is_doubted_is_asked_for_again() {
        let undecided = Undecided::default();
        undecided.note(due(10));
        undecided.settle(7, at(10));
        undecided.doubt();
        assert!(undecided.until(at(10))[0].1.settled.is_empty());
    }

    #[test]
    fn what_is_not_due_yet_is_not_looked_at() {
        let undecided = Undecided::default();
        undecided.note(due(10));
        assert!(undecided.until(at(9)).is_empty());
    }
}
