//! The jobs that `#[scheduled_job]` links into the program.

use crate::job::Job;

/// A job that a crate of this program declares.
///
/// A crate none of whose items is used is not linked, and registers nothing: the ids found are logged at start.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    job: fn() -> Job,
}

impl Registration {
    /// Declares a job.
    #[must_use]
    pub const fn new(job: fn() -> Job) -> Self {
        Self { job }
    }
}

inventory::collect!(Registration);

/// Every job that is linked, by id.
#[must_use]
pub fn registered_jobs() -> Vec<Job> {
    let mut jobs: Vec<Job> = inventory::iter::<Registration>().map(|registration| (registration.job)()).collect();
    jobs.sort_by(|a, b| a.settings().id.cmp(&b.settings().id));
    jobs
}
