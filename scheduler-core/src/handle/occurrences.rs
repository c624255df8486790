//! What a job is due for.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_cron::NamedZone;
use tracing::info;

use super::{OperatorError, SchedulerHandle};
use crate::{
    execution::Execution,
    identity::JobId,
    job::JobSettings,
    metrics,
    status::Reason,
    store::{Action, Actor, SkipOutcome, SkipRequest},
};

/// How many occurrences are told at once.
const MOST: usize = 1_000;

impl SchedulerHandle {
    /// The next occurrences that a job's current trigger names, in its zone; at most 1,000. Whether the job is paused or
    /// disabled, or one of them is skipped, is not asked.
    ///
    /// # Errors
    /// [`OperatorError::UnknownJob`], [`OperatorError::Trigger`], or a store that does not answer.
    pub async fn next(&self, job_id: &JobId, count: usize) -> Result<Vec<DateTime<NamedZone>>, OperatorError> {
        let settings = self.current_settings(job_id).await?;
        let upcoming = settings.trigger.upcoming(self.0.clock.now()).take(count.min(MOST));
        Ok(upcoming.map(|at| at.with_timezone(&settings.zone())).collect())
    }

    /// Keeps one occurrence that is still to come from running: it gets its row, `skipped (by_request)`, ahead of its
    /// time, with the actor's reason as message. A backfill can bring it back once its time has come.
    ///
    /// # Errors
    /// [`OperatorError::UnknownJob`], [`OperatorError::RunsEverywhere`], [`OperatorError::NotAnOccurrence`] of the job's current trigger,
    /// [`OperatorError::NotToCome`], [`OperatorError::AlreadyDecided`], [`OperatorError::Trigger`], or a store that does
    /// not answer.
    ///
    /// # Cancel safety
    /// A dropped call may have written the row; repeated, it finds it there.
    pub async fn skip(&self, job_id: &JobId, at: DateTime<Utc>, by: &Actor) -> Result<Execution, OperatorError> {
        let answer = self.try_skip(job_id, at, by).await;
        self.audited(by, Action::Skip, Some(job_id), None, answer).await
    }

    async fn try_skip(&self, job_id: &JobId, at: DateTime<Utc>, by: &Actor) -> Result<Execution, OperatorError> {
        if !self.shared_settings(job_id).await?.trigger.covers(at) {
            return Err(OperatorError::NotAnOccurrence { job_id: job_id.clone(), at });
        }
        let request = SkipRequest { job_id: job_id.clone(), scheduled_at: at, actor: by.clone() };
        match self.limited("skip an occurrence", self.0.store.skip(&request)).await? {
            SkipOutcome::Skipped(row) => {
                metrics::skipped(job_id, Reason::ByRequest, 1);
                info!(%job_id, %at, by = by.who, reason = by.reason, "an occurrence is skipped ahead of its time");
                Ok(*row)
            }
            SkipOutcome::AlreadyDecided(row) => Err(OperatorError::AlreadyDecided(row)),
            SkipOutcome::Due => Err(OperatorError::NotToCome(at)),
            SkipOutcome::UnknownJob => Err(OperatorError::UnknownJob(job_id.clone())),
        }
    }

    /// The settings of a job whose occurrences are not each instance's own.
    pub(super) async fn shared_settings(&self, job_id: &JobId) -> Result<Arc<JobSettings>, OperatorError> {
        let settings = self.current_settings(job_id).await?;
        if settings.every_instance { Err(OperatorError::RunsEverywhere(job_id.clone())) } else { Ok(settings) }
    }

    /// The settings of a job's current revision: this instance's where they are, else as stored.
    pub(super) async fn current_settings(&self, job_id: &JobId) -> Result<Arc<JobSettings>, OperatorError> {
        let revisions = self.limited("read a job's revisions", self.0.store.revisions(job_id)).await?;
        let current = revisions.first().ok_or_else(|| OperatorError::UnknownJob(job_id.clone()))?;
        let own = self.definition(job_id).map(|job| job.settings());
        if let Some(own) = own.filter(|own| own.fingerprint() == *current.fingerprint) {
            return Ok(Arc::clone(own));
        }
        let stored = JobSettings::from_revision(job_id, current);
        let unreadable = |source| OperatorError::Trigger { job_id: job_id.clone(), source };
        Ok(Arc::new(stored.map_err(unreadable)?))
    }
}
