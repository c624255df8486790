//! When the next occurrence of any job is due: one task, one heap, one timer.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::{Engine, JobIndex, dispatch::dispatch, health::LONGEST_STANDSTILL};
use crate::{event::Event, identity::JobId, metrics};

/// How long the agenda sleeps at most: a timer alone sleeps through a stepped clock or a suspended machine (R13).
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// An occurrence that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) job: JobIndex,
    pub(crate) scheduled_at: DateTime<Utc>,
}

/// The next occurrence of each job, 16 bytes each.
#[derive(Debug, Default)]
struct Agenda(BinaryHeap<Reverse<(i64, JobIndex)>>);

impl Agenda {
    fn push(&mut self, at: DateTime<Utc>, job: JobIndex, job_id: &JobId) {
        metrics::next_due(job_id, at);
        self.0.push(Reverse((at.timestamp_millis(), job)));
    }

    fn next_at(&self) -> Option<DateTime<Utc>> {
        self.0.peek().and_then(|Reverse((at, _))| DateTime::from_timestamp_millis(*at))
    }

    fn pop(&mut self, now: DateTime<Utc>) -> Option<Due> {
        let Reverse((at, job)) = *self.0.peek()?;
        if at > now.timestamp_millis() {
            return None;
        }
        self.0.pop();
        Some(Due { job, scheduled_at: DateTime::from_timestamp_millis(at)? })
    }
}

/// Occurrences that went by and are not known to be decided: what the duty `decide` looks at (R12).
#[derive(Debug, Default)]
pub(crate) struct Undecided(Mutex<BTreeMap<JobIndex, DateTime<Utc>>>);

impl Undecided {
    /// Notes an occurrence; an earlier one of the job stays.
    pub(crate) fn note(&self, job: JobIndex, at: DateTime<Utc>) {
        let mut jobs = self.lock();
        let first = jobs.entry(job).or_insert(at);
        *first = at.min(*first);
    }

    /// Takes out the jobs that have one at or before `until`.
    pub(crate) fn take(&self, until: DateTime<Utc>) -> Vec<JobIndex> {
        self.lock().extract_if(.., |_, first| *first <= until).map(|(job, _)| job).collect()
    }

    /// The jobs that have one at or before `until`, and the first of each.
    pub(crate) fn until(&self, until: DateTime<Utc>) -> BTreeMap<JobIndex, DateTime<Utc>> {
        self.lock().iter().filter(|(_, first)| **first <= until).map(|(job, first)| (*job, *first)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<JobIndex, DateTime<Utc>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dispatches each job's occurrences as they become due, until `stop`.
pub(crate) async fn run_agenda(engine: Arc<Engine>, stop: Arc<Notify>) {
    let mut agenda = Agenda::default();
    let now = engine.now();
    for (index, entry) in engine.jobs.iter().filter(|(_, entry)| entry.settings().enabled) {
        // What is owed from before now is left to `decide`, which looks from the watermark on.
        if let Some(at) = entry.settings().trigger.next_after(now - TimeDelta::milliseconds(1)) {
            agenda.push(at, index, &entry.settings().id);
        }
        if let Some(owed) = entry.settings().trigger.next_after(entry.watermark()).filter(|at| *at < now) {
            engine.note_undecided(index, owed);
        }
    }
    loop {
        engine.tick();
        let now = engine.now();
        let due = take_due(&engine, &mut agenda, now);
        if !due.is_empty() {
            debug!(due = due.len(), "occurrences are due");
            engine.tasks.spawn(dispatch(Arc::clone(&engine), due));
        }
        let until_next = agenda.next_at().and_then(|at| (at - engine.now()).to_std().ok());
        let sleep = match (until_next, agenda.next_at()) {
            (Some(wait), _) => wait.min(LONGEST_SLEEP),
            (None, Some(_)) => continue,
            (None, None) => LONGEST_SLEEP,
        };
        tokio::select! {
            biased;
            () = stop.notified() => return,
            () = engine.clock.sleep(sleep) => {}
        }
    }
}

impl Engine {
    /// Notes an occurrence that went by, for whoever sees that it is decided; what each instance runs for itself is
    /// nobody else's (R26).
    fn note_undecided(&self, job: JobIndex, at: DateTime<Utc>) {
        if !self.jobs.get(job).settings().every_instance {
            self.undecided.note(job, at);
        }
    }

    /// Notes that the loop goes round, and tells where it had stood still.
    fn tick(&self) {
        let uptime = self.clock.uptime();
        let Some(stood) = self.health.ticked(uptime).filter(|stood| *stood > LONGEST_STANDSTILL) else { return };
        warn!(
            ?stood,
            "the scheduler's loop stood still: what went by meanwhile is decided now, by each job's policies"
        );
        self.events.tell(Event::Stalled { duration: stood });
    }
}

/// Takes what is due off the agenda and puts each job's next occurrence on it.
fn take_due(engine: &Engine, agenda: &mut Agenda, now: DateTime<Utc>) -> Vec<Due> {
    let mut due = Vec::new();
    while let Some(occurrence) = agenda.pop(now) {
        let entry = engine.jobs.get(occurrence.job);
        engine.note_undecided(occurrence.job, occurrence.scheduled_at);
        let mut next = entry.settings().trigger.next_after(occurrence.scheduled_at);
        if next.is_some_and(|next| next <= now) {
            // More than one went by at once, as after a machine slept: the duty `decide` sees to all but the last.
            next = entry.settings().trigger.next_after(now);
        }
        if let Some(next) = next {
            agenda.push(next, occurrence.job, &entry.settings().id);
        }
        if entry.is_current() && now < entry.settings().deadline(occurrence.scheduled_at) {
            due.push(occurrence);
        }
    }
    due
}
