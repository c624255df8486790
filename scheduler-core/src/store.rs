//! The store's contract: five traits, by who asks.
//!
//! [`ExecutionStore`] decides who runs, [`HistoryStore`] reads what ran, [`ControlStore`] keeps jobs and
//! instances, [`OperatorStore`] does what people ask for, [`ReportStore`] keeps what executions say. [`Store`] is all five. Rule numbers (R1 …) are those of the engine's semantics.
//! "Held by somebody else" is a value; an error means "we do not know". Every instant is the store's clock's.

mod actor;
mod audit;
mod backfill;
mod cancel;
mod control;
mod decide;
mod error;
mod history;
pub mod memory;
mod operator;
mod pause;
mod records;
mod report;
mod retry;
mod skip;
mod summary;
mod survey;

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;

pub use actor::Actor;
pub use audit::{Action, AuditEntry, AuditId, AuditQuery, AuditRecord};
pub use backfill::{BackfillAnswer, BackfillRefusal, BackfillRequest};
pub use cancel::{CancelOutcome, CancelRequest};
pub use control::{
    AnnounceRequest, Announced, Announcement, ControlStore, Heartbeat, InstanceRecord, JobRevision, JobState, Pause,
};
pub use decide::{
    DecideRequest, DecideView, Decided, DecidedRow, Deciding, DecisionPlan, GrowRange, PlannedRow, Planner, RangeRow,
};
pub use error::StoreError;
pub use history::{ExecutionFilter, ExecutionPage, ExecutionQuery, HistoryStore, PageStart, PruneRequest, Pruned};
pub use operator::OperatorStore;
pub use pause::{PauseOutcome, PauseRequest, ResumeOutcome, ResumeRequest};
pub use records::{
    Claim, ClaimOutcome, ClaimPlace, ClaimRecord, DueExecution, DuePlace, DueRequest, EARLY_TOLERANCE, Finish,
    FinishOutcome, Grant, HeldLease, LostClaim, ManualOutcome, ManualRequest, NextAttempt, RecoverRequest, Recovered,
    Refusal, RenewedLease, TakeOutcome, TakeRequest,
};
pub use report::{LogLine, LogPage, LogQuery, LogStart, Report, ReportStore};
pub use retry::{RetryOutcome, RetryRequest};
pub use skip::{SkipOutcome, SkipRequest};
pub use summary::{Summary, SummaryQuery};
pub use survey::{Survey, SurveyRequest, Surveyed, SurveyedJob, WatermarkMove};

use crate::identity::{ExecutionId, JobId};

/// What a store can do, declared; the engine asks this and never which store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreCapabilities {
    /// Several processes see the same rows, so the store decides who runs.
    pub shared: bool,
    /// Rows outlive the process.
    pub durable: bool,
    /// The clock is the store's own, not the host's.
    pub server_clock: bool,
}

impl StoreCapabilities {
    /// What a store in this process's memory can do: nothing of it.
    pub const MEMORY: Self = Self { shared: false, durable: false, server_clock: false };
    /// What a database server can do: all of it.
    pub const SERVER: Self = Self { shared: true, durable: true, server_clock: true };
}

/// A store: the five traits, and connections of one's own.
#[async_trait]
pub trait Store: ExecutionStore + HistoryStore + ControlStore + OperatorStore + ReportStore {
    /// What this store can do.
    fn capabilities(&self) -> StoreCapabilities;

    /// The same store with connections of its own, made on the caller's runtime as they are needed (R25).
    ///
    /// The engine attaches on its own thread; the service and the admin API use another handle.
    fn attach(&self) -> Arc<dyn Store>;

    /// Where the rows are within the store, such as a schema, for what guards a user's transaction on it (R7); `None`
    /// where there is nothing to name, or it was not asked for anything yet.
    fn namespace(&self) -> Option<String> {
        None
    }

    /// Makes the store ready for this code, such as by bringing its tables to the code's version, however long that takes.
    ///
    /// The engine calls it once at its start, when the store has answered [`Store::check`], and does not limit its time. The
    /// default has nothing to do.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer, [`StoreError::Rejected`] when it can't be made ready.
    ///
    /// # Cancel safety
    /// A dropped call leaves the store as code that worked with it before can work with it still; the next call goes on from
    /// there.
    async fn prepare(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Asks whether the store answers and fits this code, or can be made to by [`Store::prepare`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer, [`StoreError::Rejected`] when it can't serve.
    async fn check(&self) -> Result<(), StoreError>;
}

/// Who runs: every write by which an execution is started, kept, ended or decided.
#[async_trait]
pub trait ExecutionStore: Debug + Send + Sync + 'static {
    /// Decides the first attempt of each occurrence (R1), each on its own; answers are in the order of the claims.
    ///
    /// A granted claim has its `running` row, which holds the job's key unless `overlap` is `allow`, and its lease,
    /// in one commit. An occurrence that meets a holder is decided by the claim's overlap policy (R17) under all of
    /// R1's other conditions: [`ClaimOutcome::Skipped`]. Anything else is [`ClaimOutcome::Refused`] and writes nothing.
    /// A claim repeated with the same `claim_id` is granted again with the same row and fence.
    ///
    /// # Errors
    /// An error is of the whole batch: nothing is known of any of its claims.
    ///
    /// # Cancel safety
    /// A dropped call may have committed; ask [`ExecutionStore::find_claim`], or repeat with the same `claim_id`.
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError>;

    /// The run that a claim or take made, if it committed (R8).
    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError>;

    /// Pending rows whose `not_before` has come, oldest `scheduled_at` first, without locking any.
    ///
    /// Of one job two kinds of rows are looked at apart: those that are caught up or backfilled, and the others, so that
    /// neither hides the other. Of each kind the oldest row alone is answered; where the job's current revision says
    /// `overlap = allow`, as many as the request has room for, and of the first kind as many as its `catch_up_limit`. None
    /// of a job whose key is held by another row. Rows of a paused job are left out, but for origin manual and backfill.
    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError>;

    /// Starts pending rows (R2), each on its own; answers are in the order of the requests. Of caught-up and backfilled
    /// rows no more run at once than [`TakeRequest::at_once`] says, over all who take from this store (R17).
    ///
    /// # Errors
    /// An error is of the whole batch: nothing is known of any of its rows.
    ///
    /// # Cancel safety
    /// As for [`ExecutionStore::claim`]: a repetition with the same `claim_id` is granted again.
    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError>;

    /// Extends the leases named and returns those that still exist (R3), expired or not. What is not returned is lost.
    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError>;

    /// Writes outcomes by compare-and-set on id, fence and `running` (R9), each on its own, in order.
    ///
    /// In the same commit the lease goes and the next attempt, if asked for and any are left, is inserted as `pending`.
    /// A run whose cancel was requested ends `cancelled` without a next attempt, unless it succeeded. An abandoned row
    /// takes its owner's outcome late, if the fence is its own and no later attempt exists (R6): `late`, and no next
    /// attempt; but one that says `unknown_commit` is a claim without a body, and its next attempt is inserted all the
    /// same (R8).
    ///
    /// Where an occurrence is over with that, what runs after its job follows in the same commit (R24): for each job
    /// whose current revision names it, is enabled and is announced by an instance, and whose other upstreams are over for
    /// the same root occurrence too, a row with the key `d:<root key>`: `pending` with what the upstreams answered where all
    /// have succeeded, else `skipped (upstream)`, and so on down the chain. One that was skipped so is followed by another
    /// attempt once its upstreams have succeeded after all. The same holds for whatever else ends an occurrence that ran or
    /// was to run: recovery, a late outcome, a cancelled row.
    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError>;

    /// Reads what a look at many jobs plans by (R12): their states, and the rows above their watermarks where they are asked
    /// for. Locks nothing. Jobs that are not known are left out.
    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError>;

    /// Moves watermarks over what is decided (R12), each where nobody has the job locked, the job is neither paused nor
    /// disabled, and revision and watermark are still those that were seen. Writes nothing else. Answers the jobs whose
    /// watermark was moved, in no order.
    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError>;

    /// Runs a plan over the undecided occurrences of each of these jobs in one transaction (R12), the jobs' states locked;
    /// answers are in the order of the passes.
    ///
    /// `None` when another instance has the job locked, or the job is unknown or the revision superseded.
    ///
    /// # Errors
    /// An error is of the whole batch: nothing is known of any of its passes, and one that can't be written stands in the way
    /// of the others. Whoever asks repeats them one by one.
    ///
    /// # Cancel safety
    /// A dropped call may have committed: what it claimed is found by [`ExecutionStore::find_claim`].
    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError>;

    /// Sets running rows whose lease has expired to `abandoned` (R6), and inserts the next attempt where the lease
    /// says `rerun_on_crash` and attempts are left. A lease that was given for longer than `healthy_for` is left alone.
    /// Rows that wait for one instance alone (R26), of which nothing was heard for so long, become `cancelled`.
    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError>;

    /// Asks the holders of these jobs' keys to stop where a row is queued that may run once the key is free (R17); a
    /// holder that is a waiting retry is `cancelled` at once. Answers the holders that had not been asked before.
    ///
    /// The caller names the jobs whose policy is `cancel_running`. A holder that took the key after the one that was
    /// there when the row was queued, or whose request was lost with its lease, is asked in this way. A job whose state
    /// is locked may be left out: it is asked for again.
    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError>;

    /// Inserts a manual request as a `pending` row, by R19.
    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError>;
}
