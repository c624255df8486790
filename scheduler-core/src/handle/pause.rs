//! Pausing a job, and ending its pause (R23).

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use tracing::{info, warn};

use super::{OperatorError, SchedulerHandle};
use crate::{
    duty::plan::{Purpose, StoredPlanner},
    engine::Elsewhere,
    identity::JobId,
    metrics,
    store::{Action, Actor, Decided, JobState, PauseOutcome, PauseRequest, ResumeOutcome, ResumeRequest},
};

impl SchedulerHandle {
    /// Pauses a job: its schedule starts nothing until [`SchedulerHandle::resume`], or until `until` where one is given;
    /// what is due at that instant runs. What runs now goes on, and a request or a backfill runs all the same.
    ///
    /// What the job owes is decided first. What falls in the pause is recorded as skipped when it ends, and never owed.
    /// The job need not be one of this instance's. Where the store is not shared, this instance alone pauses it.
    ///
    /// # Errors
    /// [`OperatorError::UnknownJob`], [`OperatorError::AlreadyPaused`] with the pause that stays as it is,
    /// [`OperatorError::UntilPassed`], or a backend that does not answer.
    ///
    /// # Cancel safety
    /// A dropped call may have paused the job; repeated, it finds it paused.
    pub async fn pause(
        &self,
        job_id: &JobId,
        by: &Actor,
        until: Option<DateTime<Utc>>,
    ) -> Result<JobState, OperatorError> {
        let answer = self.try_pause(job_id, by, until).await;
        self.audited(by, Action::Pause, Some(job_id), None, answer).await
    }

    async fn try_pause(
        &self,
        job_id: &JobId,
        by: &Actor,
        until: Option<DateTime<Utc>>,
    ) -> Result<JobState, OperatorError> {
        let planner = self.planner(job_id, Purpose::Pause).await?;
        let request = PauseRequest { job_id: job_id.clone(), actor: by.clone(), until };
        match self.limited("pause a job", self.0.store.pause(&request, &planner)).await? {
            PauseOutcome::Paused { state, decided } => {
                info!(%job_id, by = by.who, reason = by.reason, ?until, "a job was paused");
                self.tell(job_id, &decided);
                Ok(state)
            }
            PauseOutcome::AlreadyPaused(state) => Err(OperatorError::AlreadyPaused(Box::new(state))),
            PauseOutcome::UntilPassed => Err(OperatorError::UntilPassed(until.unwrap_or(DateTime::<Utc>::MAX_UTC))),
            PauseOutcome::UnknownJob => Err(OperatorError::UnknownJob(job_id.clone())),
        }
    }

    /// Ends a job's pause: what fell in it is recorded as skipped, and the schedule goes on with the next occurrence.
    ///
    /// # Errors
    /// [`OperatorError::UnknownJob`], [`OperatorError::NotPaused`], or a backend that does not answer.
    ///
    /// # Cancel safety
    /// A dropped call may have resumed the job; repeated, it finds it not paused.
    pub async fn resume(&self, job_id: &JobId, by: &Actor) -> Result<JobState, OperatorError> {
        let answer = self.try_resume(job_id, by).await;
        self.audited(by, Action::Resume, Some(job_id), None, answer).await
    }

    async fn try_resume(&self, job_id: &JobId, by: &Actor) -> Result<JobState, OperatorError> {
        let planner = self.planner(job_id, Purpose::Resume).await?;
        let request = ResumeRequest { job_id: job_id.clone(), actor: by.clone() };
        match self.limited("resume a job", self.0.store.resume(&request, &planner)).await? {
            ResumeOutcome::Resumed { state, decided } => {
                info!(%job_id, by = by.who, reason = by.reason, skipped = decided.skipped, "a job was resumed");
                self.tell(job_id, &decided);
                self.0.look.notify_one();
                Ok(state)
            }
            ResumeOutcome::NotPaused(_) => Err(OperatorError::NotPaused(job_id.clone())),
            ResumeOutcome::UnknownJob => Err(OperatorError::UnknownJob(job_id.clone())),
        }
    }

    /// What decides the job's owed occurrences when it is paused or resumed.
    async fn planner(&self, job_id: &JobId, purpose: Purpose) -> Result<StoredPlanner, OperatorError> {
        let own = self.definition(job_id).map(|job| Arc::clone(job.settings()));
        let cursor = self.decided_elsewhere(job_id).await?;
        let elsewhere = HashMap::from([(job_id.clone(), Elsewhere { cursor, ..Elsewhere::default() })]);
        Ok(StoredPlanner { purpose, instance: self.0.instance, own, elsewhere })
    }

    fn tell(&self, job_id: &JobId, decided: &Decided) {
        metrics::decided(job_id, decided);
        if decided.missed > 0 {
            let missed = decided.missed;
            warn!(%job_id, missed, "occurrences were not started in time: they are recorded as missed");
        }
        if decided.waiting + decided.caught_up > 0 {
            let waiting = decided.waiting + decided.caught_up;
            info!(%job_id, waiting, "occurrences that were owed wait to be taken");
        }
    }
}
