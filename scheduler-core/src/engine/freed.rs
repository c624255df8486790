//! Jobs of which a row may be taken now: what is looked for sooner than all that waits (R2).

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::JobIndex;

/// The jobs, and a sign that there are any.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    jobs: Mutex<BTreeSet<JobIndex>>,
    told: Notify,
}

impl Freed {
    /// Notes a job whose key is free now, or of which a retry is due.
    pub(crate) fn note(&self, job: JobIndex) {
        self.jobs().insert(job);
        self.told.notify_one();
    }

    /// Waits until there are any, and takes them out.
    pub(crate) async fn wait(&self) -> Vec<JobIndex> {
        loop {
            let jobs = std::mem::take(&mut *self.jobs());
            if !jobs.is_empty() {
                return jobs.into_iter().collect();
            }
            self.told.notified().await;
        }
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeSet<JobIndex>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
