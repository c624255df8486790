//! A row of the history.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    identity::{ClaimId, ExecutionId, FencingToken, InstanceId, JobId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    trace_context::TraceContext,
};

/// One attempt at one occurrence, as the store has it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Execution {
    /// The row's id.
    pub id: ExecutionId,
    /// The job.
    pub job_id: JobId,
    /// The occurrence's key.
    pub occurrence: OccurrenceKey,
    /// From 1.
    pub attempt: u32,
    /// How many attempts the occurrence may have.
    pub max_attempts: u32,
    /// What caused it.
    pub origin: Origin,
    /// Where it stands.
    pub status: Status,
    /// Why, where the status alone does not say.
    pub reason: Option<Reason>,
    /// The nominal instant.
    pub scheduled_at: DateTime<Utc>,
    /// When a pending row may be taken.
    pub not_before: DateTime<Utc>,
    /// When it was claimed or taken, by the store's clock.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, by the store's clock.
    pub finished_at: Option<DateTime<Utc>>,
    /// Seconds from start to end, to the millisecond.
    pub duration_seconds: Option<f64>,
    /// What the job said, or the error.
    pub message: Option<String>,
    /// The chain of errors, and a panic's backtrace.
    pub error_trace: Option<String>,
    /// What the job answered.
    pub result_data: Option<Value>,
    /// Whether the row holds the job's key (R16).
    pub holds_key: bool,
    /// Whether the row is the job's one queued row (R17).
    pub queued: bool,
    /// The one instance that may run it, and in which the key that it holds ends (R26); `None` where any may.
    pub for_instance: Option<InstanceId>,
    /// The claim that made it run.
    pub claim_id: Option<ClaimId>,
    /// The fence of its run.
    pub fence: Option<FencingToken>,
    /// The instance that runs or ran it.
    pub instance: Option<InstanceId>,
    /// Who asked for it.
    pub triggered_by: Option<String>,
    /// A manual request's parameters.
    pub params: Option<Value>,
    /// What the jobs answered that it runs after, by their ids (R24).
    pub upstream_results: Option<Value>,
    /// The trace that its request belongs to.
    pub trace_context: Option<TraceContext>,
    /// Whether its outcome came after it was given up (R6).
    pub late: bool,
    /// The first instant that a range row covers.
    pub missed_from: Option<DateTime<Utc>>,
    /// How many occurrences without a row of their own a range row covers.
    pub missed_count: Option<u64>,
    /// How far the body said that it is, of a row that is read; it is kept apart from the row (R3).
    pub progress: Option<Progress>,
    /// When the row was made, by the store's clock.
    pub created_at: DateTime<Utc>,
}

/// How far a body is: `done` of `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many of them are done, at most all.
    pub done: u64,
    /// How many there are. Of 0 all are done.
    pub total: u64,
}

impl Progress {
    /// So many of so many; more than all are all.
    #[must_use]
    pub fn new(done: u64, total: u64) -> Self {
        // A store counts in signed numbers.
        let total = total.min(i64::MAX as u64);
        Self { done: done.min(total), total }
    }

    /// Whole per cent, rounded down: 100 only where all is done.
    #[must_use]
    pub fn percent(self) -> u8 {
        let percent = (u128::from(self.done) * 100).checked_div(u128::from(self.total)).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }
}

impl Execution {
    /// A row with what every row has; the rest is empty, and the store fills in what it knows.
    #[must_use]
    pub fn new(
        id: ExecutionId,
        job_id: JobId,
        occurrence: OccurrenceKey,
        origin: Origin,
        status: Status,
        scheduled_at: DateTime<Utc>,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            job_id,
            occurrence,
            attempt: 1,
            max_attempts: 1,
            origin,
            status,
            reason: None,
            scheduled_at,
            not_before: scheduled_at,
            started_at: None,
            finished_at: None,
            duration_seconds: None,
            message: None,
            error_trace: None,
            result_data: None,
            holds_key: false,
            queued: false,
            for_instance: None,
            claim_id: None,
            fence: None,
            instance: None,
            triggered_by: None,
            params: None,
            upstream_results: None,
            trace_context: None,
            late: false,
            missed_from: None,
            missed_count: None,
            progress: None,
            created_at,
        }
    }

    /// The seconds from when it was due, or could first be taken, to its start; `None` before that.
    #[must_use]
    pub fn start_lag(&self) -> Option<f64> {
        let lag = self.started_at? - self.scheduled_at.max(self.not_before);
        Some(lag.as_seconds_f64().max(0.0))
    }

    /// The row without what may be long: message, trace, result, parameters, and what others answered.
    #[must_use]
    pub fn shortened(self) -> Self {
        Self { message: None, error_trace: None, result_data: None, params: None, upstream_results: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn progress_is_never_more_than_all() {
        for (done, total, percent) in [(0, 3, 0), (1, 3, 33), (3, 3, 100), (9, 3, 100), (0, 0, 100), (5, 0, 100)] {
            let progress = Progress::new(done, total);
            assert!(progress.done <= progress.total);
            assert_eq!(progress.percent(), percent, "{done} of {total}");
        }
        let most = Progress::new(u64::MAX - 1, u64::MAX);
        assert_eq!((most.done, most.total, most.percent()), (i64::MAX as u64, i64::MAX as u64, 100));
        assert_eq!(Progress::new(i64::MAX as u64 - 1, i64::MAX as u64).percent(), 99);
    }
}
