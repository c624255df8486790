//! What operators ask of a store.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{
    AuditEntry, AuditId, AuditQuery, AuditRecord, BackfillAnswer, BackfillRequest, CancelOutcome, CancelRequest,
    PauseOutcome, PauseRequest, Planner, ResumeOutcome, ResumeRequest, RetryOutcome, RetryRequest, SkipOutcome,
    SkipRequest, StoreError,
};

/// What people ask for: each call is one transaction that locks what it changes, and in which the audit gets its entry. What
/// is refused, or only looked at, leaves none.
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

    /// Makes occurrences that never ran wait to be taken, with origin `backfill` (R20); answers are in the order of the
    /// occurrences, each on its own. `None` when the job was never announced to the store.
    ///
    /// An occurrence that was missed or skipped gets its next attempt, and its first where it never had a row of its own.
    /// The rows hold nothing until they are taken, and pass pause and `enabled` (R2).
    ///
    /// # Cancel safety
    /// A dropped call may have written all of its rows; repeated, it finds them pending.
    async fn backfill(&self, request: &BackfillRequest) -> Result<Option<Vec<BackfillAnswer>>, StoreError>;

    /// Lets the last attempt of an occurrence, if it failed, timed out, was cancelled or abandoned, be followed by one
    /// more (R20), which holds nothing until it is taken and keeps the origin. Locks the row first (R6).
    ///
    /// # Cancel safety
    /// A dropped call may have written the attempt; repeated, it finds that another one follows.
    async fn retry(&self, request: &RetryRequest) -> Result<RetryOutcome, StoreError>;

    /// Stops an execution: one that waits is cancelled at once, one that runs is asked by its next renewal (R3), and no
    /// attempt follows either. Never waits for a transaction of the run's own (R7).
    ///
    /// # Cancel safety
    /// A dropped call may have stopped it; repeated, it finds it ended, or asks again.
    async fn cancel(&self, request: &CancelRequest) -> Result<CancelOutcome, StoreError>;

    /// Writes the row of an occurrence that is still to come as `skipped (by_request)`: its claim finds it decided.
    ///
    /// # Cancel safety
    /// A dropped call may have written the row; repeated, it finds it there.
    async fn skip(&self, request: &SkipRequest) -> Result<SkipOutcome, StoreError>;

    /// Adds an entry to the audit of what no other call has written: an action that was refused.
    async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError>;

    /// Entries of the audit, newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;
}
