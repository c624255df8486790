//! What becomes of a request to pause or to resume a job (R23).

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Action, Actor, AuditRecord, Decided, JobState, Pause};
use crate::identity::JobId;

/// A request to pause a job.
#[derive(Debug, Clone)]
pub struct PauseRequest {
    /// The job.
    pub job_id: JobId,
    /// Who asks.
    pub actor: Actor,
    /// When the pause ends by itself; what is due at that instant runs.
    pub until: Option<DateTime<Utc>>,
}

impl PauseRequest {
    /// What the audit keeps of it once it is done.
    #[must_use]
    pub fn audit(&self, decided: &Decided) -> AuditRecord {
        let after =
            json!({ "paused": true, "until": self.until, "missed": decided.missed, "waiting": decided.waiting });
        AuditRecord::new(&self.actor, Action::Pause).of_job(&self.job_id).changing(json!({ "paused": false }), after)
    }
}

/// What became of a request to pause.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PauseOutcome {
    /// The job is paused from now on.
    Paused {
        /// Its state.
        state: JobState,
        /// What it owed, and how that was decided.
        decided: Box<Decided>,
    },
    /// It was paused before, and nothing was written: its state tells by whom and until when.
    AlreadyPaused(JobState),
    /// The pause would be over: nothing was written.
    UntilPassed,
    /// The job was never announced to the store.
    UnknownJob,
}

/// A request to end a job's pause.
#[derive(Debug, Clone)]
pub struct ResumeRequest {
    /// The job.
    pub job_id: JobId,
    /// Who asks.
    pub actor: Actor,
}

impl ResumeRequest {
    /// What the audit keeps of it once it is done.
    #[must_use]
    pub fn audit(&self, pause: &Pause, decided: &Decided) -> AuditRecord {
        let Pause { at, by, reason, until } = pause;
        let before = json!({ "paused": true, "since": at, "by": by, "reason": reason, "until": until });
        let after = json!({ "paused": false, "skipped": decided.skipped, "missed": decided.missed });
        AuditRecord::new(&self.actor, Action::Resume).of_job(&self.job_id).changing(before, after)
    }
}

/// What became of a request to resume.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ResumeOutcome {
    /// The pause is over.
    Resumed {
        /// The job's state.
        state: JobState,
        /// What fell in the pause, and what is owed since.
        decided: Box<Decided>,
    },
    /// The job was not paused: nothing was written.
    NotPaused(JobState),
    /// The job was never announced to the store.
    UnknownJob,
}
