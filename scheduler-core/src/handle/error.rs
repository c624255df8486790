//! Why what an operator asked for was not done.

use chrono::{DateTime, Utc};

use crate::{
    identity::{ExecutionId, JobId},
    lock::LockError,
    status::Status,
    store::{JobState, StoreError},
};

/// Why what an operator asked for was not done; nothing was written, unless the store's answer was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The store was never told of the job.
    #[error("there is no job `{0}`")]
    UnknownJob(JobId),
    /// There is no such execution.
    #[error("there is no execution `{0}`")]
    UnknownExecution(ExecutionId),
    /// The execution has ended, and can't be stopped any more.
    #[error("execution `{execution_id}` has ended: it is {status}")]
    HasEnded {
        /// The execution.
        execution_id: ExecutionId,
        /// How it ended.
        status: Status,
    },
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
