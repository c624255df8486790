//! Why what an operator asked for was not done.

use chrono::{DateTime, Utc};

use crate::{
    identity::JobId,
    lock::LockError,
    store::{JobState, StoreError},
};

/// Why what an operator asked for was not done; nothing was written, unless the store's answer was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The store was never told of the job.
    #[error("there is no job `{0}`")]
    UnknownJob(JobId),
    /// The job is paused: its state tells by whom, why and until when.
    #[error("job `{}` is paused already", .0.job_id)]
    AlreadyPaused(Box<JobState>),
    /// The job is not paused.
    #[error("job `{0}` is not paused")]
    NotPaused(JobId),
    /// A pause would be over as it begins, by the store's clock.
    #[error("a pause until `{0}` would be over already")]
    UntilPassed(DateTime<Utc>),
    /// The lock backend did not answer, and it knows what other instances have decided.
    #[error("what other instances have decided could not be read")]
    Locks(#[from] LockError),
    /// The store did not answer.
    #[error("the request could not be written")]
    Store(#[from] StoreError),
}
