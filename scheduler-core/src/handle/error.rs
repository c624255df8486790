//! Why what an operator asked for was not done.

use chrono::{DateTime, Utc};
use scheduler_cron::TriggerError as TextError;

use super::backfill::MOST;
use crate::{
    execution::Execution,
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
    /// There is no such execution, or its job was never announced.
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
    /// The execution is open, has succeeded or never ran, or another attempt follows it.
    #[error("execution `{execution_id}` is {status}{}: it can't be retried", followed(.next.as_ref()))]
    NotRetryable {
        /// The execution.
        execution_id: ExecutionId,
        /// Where it stands.
        status: Status,
        /// The attempt that follows it.
        next: Option<ExecutionId>,
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
    /// The job is not due at this instant.
    #[error("job `{job_id}` is not due at `{at}`")]
    NotAnOccurrence {
        /// The job.
        job_id: JobId,
        /// The instant.
        at: DateTime<Utc>,
    },
    /// The occurrence's time has come: the schedule decides it.
    #[error("`{0}` is not to come any more")]
    NotToCome(DateTime<Utc>),
    /// The occurrence has its row.
    #[error("this occurrence is {} already, in execution `{}`", .0.status, .0.id)]
    AlreadyDecided(Box<Execution>),
    /// Each instance runs the job's occurrences for itself (R26): they can't be skipped ahead or backfilled.
    #[error("job `{0}` runs on every instance: its occurrences are each instance's own")]
    RunsEverywhere(JobId),
    /// A backfill of more occurrences than are done at once.
    #[error("a backfill has at most {MOST} occurrences; ask for a shorter range")]
    TooMany,
    /// The job's current revision is another version's, and its trigger can't be read.
    #[error("the trigger of job `{job_id}` can't be read")]
    Trigger {
        /// The job.
        job_id: JobId,
        /// Why.
        #[source]
        source: TextError,
    },
    /// The lock backend did not answer, and it knows what other instances have decided.
    #[error("what other instances have decided could not be read")]
    Locks(#[from] LockError),
    /// The store did not answer.
    #[error("the request could not be written")]
    Store(#[from] StoreError),
}

fn followed(next: Option<&ExecutionId>) -> String {
    next.map(|next| format!(" and followed by `{next}`")).unwrap_or_default()
}

impl OperatorError {
    /// Whether the request itself was refused, and not only not answered.
    pub(super) const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Locks(_) | Self::Store(_))
    }
}
