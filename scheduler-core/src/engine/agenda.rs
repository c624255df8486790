//! When the next occurrence of any job is due: one task, one heap, one timer.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::{Engine, JobIndex, dispatch::dispatch, health::LONGEST_STANDSTILL};
use crate::{event::Event, identity::JobId, metrics};

/// How long the agenda sleeps at most: a timer alone sleeps through a stepped clock or a suspended machine (R13).
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How long before its instant an occurrence is claimed from a shared store, which grants it no earlier than 50 ms before
/// (R1): its row is written by then, and the body starts at the instant itself. What the clocks may be apart is left.
const LEAD: Duration = Duration::from_millis(40);

/// An occurrence that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) job: JobIndex,
    pub(crate) scheduled_at: DateTime<Utc>,
    /// Since when it is due: its instant, and jitter.
    pub(crate) not_before: DateTime<Utc>,
}

impl Due {
    /// An occurrence that nothing puts behind its instant.
    pub(crate) const fn at_its_instant(job: JobIndex, scheduled_at: DateTime<Utc>) -> Self {
        Self { job, scheduled_at, not_before: scheduled_at }
    }
}

/// When the next occurrence of each job is due, 16 bytes each.
#[derive(Debug, Default)]
struct Agenda(BinaryHeap<Reverse<(i64, JobIndex)>>);

impl Agenda {
    fn push(&mut self, due: Due, job_id: &JobId) {
        metrics::next_due(job_id, due.not_before);
        self.0.push(Reverse((due.not_before.timestamp_millis(), due.job)));
    }

    fn next_at(&self) -> Option<DateTime<Utc>> {
        self.0.peek().and_then(|Reverse((at, _))| DateTime::from_timestamp_millis(*at))
    }

    /// A job with an occurrence that is due, and since when.
    fn pop(&mut self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, JobIndex)> {
        let Reverse((at, job)) = *self.0.peek()?;
        if at > now.timestamp_millis() {
            return None;
        }
        self.0.pop();
        Some((DateTime::from_timestamp_millis(at)?, job))
    }
}

/// Dispatches each job's occurrences as they become due, until `stop`.
pub(crate) async fn run_agenda(engine: Arc<Engine>, stop: Arc<Notify>) {
    // Without a shared store it is the lock backend's key or the process's own memory that decides, at the instant.
    let lead = if engine.store.capabilities().shared { LEAD } else { Duration::ZERO };
    let mut agenda = Agenda::default();
    let now = engine.now();
    for (index, entry) in engine.jobs.iter().filter(|(_, entry)| entry.settings().enabled) {
        // What is owed from before now is left to `decide`, which looks from the watermark on.
        let settings = entry.settings();
        if let Some(at) = settings.next_due_after(now - TimeDelta::milliseconds(1), engine.instance) {
            agenda.push(engine.due(index, at), &settings.id);
        }
        let owed = settings.trigger.next_after(entry.watermark()).map(|at| engine.due(index, at));
        if let Some(owed) = owed.filter(|owed| owed.not_before < now) {
            engine.note_undecided(owed);
        }
    }
    loop {
        engine.tick();
        let now = engine.now();
        let due = take_due(&engine, &mut agenda, now, lead);
        if !due.is_empty() {
            debug!(due = due.len(), "occurrences are due");
            engine.tasks.spawn(dispatch(Arc::clone(&engine), due));
        }
        let until_next = agenda.next_at().and_then(|at| (at - lead - engine.now()).to_std().ok());
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
    /// An occurrence, and when it is due.
    pub(crate) fn due(&self, job: JobIndex, scheduled_at: DateTime<Utc>) -> Due {
        let not_before = self.jobs.get(job).settings().not_before(scheduled_at, self.instance);
        Due { job, scheduled_at, not_before }
    }

    /// The start deadline of an occurrence.
    pub(crate) fn deadline(&self, due: &Due) -> DateTime<Utc> {
        self.jobs.get(due.job).settings().deadline(due.scheduled_at, self.instance)
    }

    /// Notes an occurrence that went by, for whoever sees that it is decided; what each instance runs for itself is
    /// nobody else's (R26).
    fn note_undecided(&self, due: Due) {
        if !self.jobs.get(due.job).settings().every_instance {
            self.undecided.note(due);
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

/// Takes what is due, or will be within `lead`, off the agenda and puts each job's next occurrence on it.
fn take_due(engine: &Engine, agenda: &mut Agenda, now: DateTime<Utc>, lead: Duration) -> Vec<Due> {
    let mut due = Vec::new();
    while let Some((not_before, job)) = agenda.pop(now + lead) {
        let entry = engine.jobs.get(job);
        let settings = entry.settings();
        let Some(scheduled_at) = settings.occurrence_due_at(not_before) else { continue };
        let occurrence = Due { job, scheduled_at, not_before };
        engine.note_undecided(occurrence);
        let mut next = settings.trigger.next_after(scheduled_at).map(|next| engine.due(job, next));
        if next.is_some_and(|next| next.not_before <= now) {
            // More than one went by at once, as after a machine slept: the duty `decide` sees to all but the last.
            next = settings.next_due_after(now, engine.instance).map(|next| engine.due(job, next));
        }
        if let Some(next) = next {
            agenda.push(next, &settings.id);
        }
        if entry.is_current() && now < engine.deadline(&occurrence) {
            due.push(occurrence);
        }
    }
    due
}
