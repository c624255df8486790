//! The jobs, and how they stand.

use std::collections::HashMap;

use chrono::DateTime;
use scheduler_cron::NamedZone;

use super::SchedulerHandle;
use crate::{
    execution::Execution,
    identity::JobId,
    job::Job,
    store::{JobState, StoreError},
};

/// A job and how it stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobStatus {
    /// The definition.
    pub job: Job,
    /// What the store knows of it; `None` before it was first announced.
    pub state: Option<JobState>,
    /// Its next occurrence in the job's zone; `None` when paused, disabled, or none follows.
    pub next_run: Option<DateTime<NamedZone>>,
    /// The newest row that has started.
    pub latest_execution: Option<Execution>,
}

impl JobStatus {
    /// Whether the job is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.pause.is_some())
    }
}

impl SchedulerHandle {
    /// This instance's jobs, by id, and how they stand: two reads for all of them.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn jobs(&self) -> Result<Vec<JobStatus>, StoreError> {
        let mut jobs = self.statuses(self.definitions()).await?;
        jobs.sort_by(|a, b| a.job.settings().id.cmp(&b.job.settings().id));
        Ok(jobs)
    }

    /// One job and how it stands; `None` when this instance does not have it.
    ///
    /// # Errors
    /// When the store does not answer within 10 s.
    pub async fn job(&self, id: &JobId) -> Result<Option<JobStatus>, StoreError> {
        match self.definition(id) {
            Some(job) => Ok(self.statuses(std::slice::from_ref(job)).await?.pop()),
            None => Ok(None),
        }
    }

    async fn statuses(&self, jobs: &[Job]) -> Result<Vec<JobStatus>, StoreError> {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.settings().id.clone()).collect();
        let read = async { tokio::try_join!(self.0.store.states(&ids), self.0.store.latest(&ids)) };
        let (states, latest) = self.limited("read the jobs' states", read).await?;
        let mut states: HashMap<_, _> = states.into_iter().map(|state| (state.job_id.clone(), state)).collect();
        let mut latest: HashMap<_, _> = latest.into_iter().map(|row| (row.job_id.clone(), row)).collect();
        let now = self.0.clock.now();
        Ok(jobs
            .iter()
            .map(|job| {
                let settings = job.settings();
                let state = states.remove(&settings.id);
                let runs = settings.enabled && state.as_ref().is_none_or(|state| state.pause.is_none());
                let next = if runs { settings.trigger.next_after(now) } else { None };
                JobStatus {
                    job: job.clone(),
                    next_run: next.map(|at| at.with_timezone(&settings.zone())),
                    latest_execution: latest.remove(&settings.id),
                    state,
                }
            })
            .collect())
    }
}
