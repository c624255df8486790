//! What operators ask of a store.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Actor, Decided, JobState, Planner, StoreError};
use crate::identity::JobId;

/// What people ask for: each call is one transaction that locks what it changes, and says who asked.
#[async_trait]
pub trait OperatorStore: Debug + Send + Sync + 'static {
    /// Pauses a job (R23): its schedule starts nothing until it is resumed, or until R12 finds `until` passed.
    ///
    /// What the job owes up to now is decided first, by the planner, which sees the job's current revision as stored;
    /// the pause begins there. A job that is paused stays as it is.
    ///
    /// # Cancel safety
    /// A dropped call may have paused the job; repeated, it finds it paused.
    async fn pause(&self, request: &PauseRequest, planner: &dyn Planner) -> Result<PauseOutcome, StoreError>;

    /// Ends a job's pause (R23): the planner records what fell in it as skipped, up to now or to the pause's `until`,
    /// and decides what is owed since.
    ///
    /// # Cancel safety
    /// A dropped call may have resumed the job; repeated, it finds it not paused.
    async fn resume(&self, request: &ResumeRequest, planner: &dyn Planner) -> Result<ResumeOutcome, StoreError>;
}

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
