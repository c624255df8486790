//! Pauses, from their beginning to their end (R23).

use chrono::{DateTime, Utc};

use super::state::State;
use crate::store::{Pause, PauseOutcome, PauseRequest, Planner, ResumeOutcome, ResumeRequest, StoreError};

impl State {
    pub(super) fn pause(
        &mut self,
        request: &PauseRequest,
        planner: &dyn Planner,
        now: DateTime<Utc>,
    ) -> Result<PauseOutcome, StoreError> {
        if !self.jobs.contains_key(&request.job_id) {
            return Ok(PauseOutcome::UnknownJob);
        }
        if request.until.is_some_and(|until| until <= now) {
            return Ok(PauseOutcome::UntilPassed);
        }
        let decided = self.decide_owed(&request.job_id, planner, now)?;
        let job = self.jobs.get_mut(&request.job_id).expect("it was looked up above");
        if job.state.pause.is_some() {
            return Ok(PauseOutcome::AlreadyPaused(job.state.clone()));
        }
        let actor = request.actor.clone();
        job.state.pause = Some(Pause { at: now, by: Some(actor.who), reason: actor.reason, until: request.until });
        let state = job.state.clone();
        self.audit.append(request.audit(&decided), now);
        Ok(PauseOutcome::Paused { state, decided: Box::new(decided) })
    }

    pub(super) fn resume(
        &mut self,
        request: &ResumeRequest,
        planner: &dyn Planner,
        now: DateTime<Utc>,
    ) -> Result<ResumeOutcome, StoreError> {
        let Some(job) = self.jobs.get(&request.job_id) else { return Ok(ResumeOutcome::UnknownJob) };
        let Some(pause) = job.state.pause.clone() else {
            return Ok(ResumeOutcome::NotPaused(job.state.clone()));
        };
        let decided = self.decide_owed(&request.job_id, planner, now)?;
        let job = self.jobs.get_mut(&request.job_id).expect("it was looked up above");
        job.state.pause = None;
        let state = job.state.clone();
        self.audit.append(request.audit(&pause, &decided), now);
        Ok(ResumeOutcome::Resumed { state, decided: Box::new(decided) })
    }
}
