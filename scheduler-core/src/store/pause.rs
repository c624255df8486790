//! What becomes of a request to pause or to resume a job (R23).

use chrono::{DateTime, Utc};

use super::{Actor, Decided, JobState};
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
