//! The jobs that `#[scheduled_job]` links into the program.

use std::sync::{Mutex, PoisonError};

use crate::job::{Job, ScheduledJob};

/// How each job that is linked is defined, in the order in which the program was put together.
static LINKED: Mutex<Vec<fn() -> Job>> = Mutex::new(Vec::new());

/// Notes that a job is linked. The system calls it before `main`, once for each function with `#[scheduled_job]`: the
/// expansion puts it among the program's initializers. It only takes a note, since little may be relied on so early.
///
/// A crate none of whose items is used is not linked, and registers nothing: the ids found are logged at start.
#[doc(hidden)]
pub extern "C" fn register<J: ScheduledJob>() {
    LINKED.lock().unwrap_or_else(PoisonError::into_inner).push(J::job);
}

/// Every job that is linked, by id.
#[must_use]
pub fn registered_jobs() -> Vec<Job> {
    let definitions = LINKED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut jobs: Vec<Job> = definitions.iter().map(|job| job()).collect();
    jobs.sort_by(|a, b| a.settings().id.cmp(&b.settings().id));
    jobs
}
