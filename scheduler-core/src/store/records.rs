//! What the execution store is asked and what it answers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Action, Actor, AuditRecord};
use crate::{
    execution::Execution,
    identity::{ClaimId, ExecutionId, FencingToken, InstanceId, JobId, RevisionId},
    job::OverlapPolicy,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    trace_context::TraceContext,
};

/// A claim of the first attempt at a schedule's occurrence (R1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The client's own name for this claim; a repetition after a lost reply has the same.
    pub claim_id: ClaimId,
    /// The job.
    pub job_id: JobId,
    /// The revision that the caller has of the job.
    pub revision: RevisionId,
    /// The occurrence's key.
    pub occurrence: OccurrenceKey,
    /// The nominal instant.
    pub scheduled_at: DateTime<Utc>,
    /// The earliest start: `scheduled_at` and the job's jitter. Refused when later than the store's clock + 50 ms.
    pub not_before: DateTime<Utc>,
    /// The latest start, exclusive.
    pub deadline: DateTime<Utc>,
    /// How many attempts the occurrence may have.
    pub max_attempts: u32,
    /// What happens when the job's key is held.
    pub overlap: OverlapPolicy,
    /// Whether recovery inserts the next attempt when this run's instance is lost.
    pub rerun_on_crash: bool,
    /// How long the lease lives unless renewed.
    pub lease: Duration,
    /// The claiming instance.
    pub instance: InstanceId,
    /// Whether the occurrence is that instance's alone, and so the key it holds (R26).
    pub every_instance: bool,
}

impl Claim {
    /// The instance in which the key ends, where each instance has its own.
    #[must_use]
    pub fn for_instance(&self) -> Option<InstanceId> {
        self.every_instance.then_some(self.instance)
    }
}

/// How early a claim may come, by the store's clock: what network and scheduling make of a clock that is right (R1).
pub const EARLY_TOLERANCE: Duration = Duration::from_millis(50);

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimOutcome {
    /// The row is written and the caller runs it.
    Granted(Grant),
    /// The occurrence has its final row, by the overlap policy.
    Skipped {
        /// That row.
        execution_id: ExecutionId,
        /// Which policy.
        reason: Reason,
    },
    /// The occurrence waits in a row of its own for the key.
    Queued {
        /// That row.
        execution_id: ExecutionId,
    },
    /// Nothing was written.
    Refused(Refusal),
}

impl ClaimOutcome {
    /// Whether the answer says that the occurrence has a row of its own, written by this claim or before.
    #[must_use]
    pub const fn has_row(&self) -> bool {
        matches!(
            self,
            Self::Granted(_) | Self::Skipped { .. } | Self::Queued { .. } | Self::Refused(Refusal::AlreadyDecided)
        )
    }

    /// Whether the answer leaves the occurrence without a decision: no row of its own, and nothing that covers it.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        !self.has_row() && !matches!(self, Self::Refused(Refusal::Passed))
    }
}

/// Why a claim or take wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The occurrence has a row of its own. Asked before everything else.
    AlreadyDecided,
    /// The watermark has passed the occurrence, or a range of missed or skipped ones covers it.
    Passed,
    /// The job is paused.
    Paused,
    /// Another revision of the job is current, or the job was never announced.
    Superseded,
    /// The store's clock has not reached `not_before`.
    NotDue {
        /// How long until it will have.
        remaining: Duration,
    },
    /// The start deadline has passed.
    DeadlinePassed,
    /// The job's key is held, or a queued row goes first.
    Held,
    /// As many of the job's caught-up and backfilled rows run as may at once.
    Full,
    /// The row is no longer pending, or not there.
    NotPending,
}

/// A claim or take that was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The `running` row.
    pub execution_id: ExecutionId,
    /// Its fence, higher than every one granted before for the job.
    pub fence: FencingToken,
    /// When, by the store's clock.
    pub started_at: DateTime<Utc>,
}

/// A claim or take whose answer was lost, and where its run would be (R8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostClaim {
    /// The caller's name for it.
    pub claim_id: ClaimId,
    /// Where its run would be.
    pub place: ClaimPlace,
}

impl LostClaim {
    /// A claim of an occurrence.
    #[must_use]
    pub fn of(claim: &Claim) -> Self {
        let place = ClaimPlace::Occurrence(claim.job_id.clone(), claim.occurrence.clone());
        Self { claim_id: claim.claim_id, place }
    }

    /// A take.
    #[must_use]
    pub const fn of_take(take: &TakeRequest) -> Self {
        Self::of_row(take.claim_id, take.execution_id)
    }

    /// A claim or take of a row that is known.
    #[must_use]
    pub const fn of_row(claim_id: ClaimId, row: ExecutionId) -> Self {
        Self { claim_id, place: ClaimPlace::Row(row) }
    }
}

/// Where a claim or take makes its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPlace {
    /// At an occurrence of a job.
    Occurrence(JobId, OccurrenceKey),
    /// In a row that was pending.
    Row(ExecutionId),
}

/// A claim or take as the store has it (R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRecord {
    /// The grant.
    pub grant: Grant,
    /// Where its row stands now.
    pub status: Status,
    /// How much of the lease is left; zero when it has expired or is gone.
    pub lease_left: Duration,
}

/// A pending row that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueExecution {
    /// The row.
    pub execution_id: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// What caused it.
    pub origin: Origin,
    /// Its nominal instant.
    pub scheduled_at: DateTime<Utc>,
}

/// A pending row's place among those that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuePlace {
    /// Its nominal instant.
    pub scheduled_at: DateTime<Utc>,
    /// The row.
    pub execution_id: ExecutionId,
}

impl DueExecution {
    /// Its place: what follows on it is asked for next.
    #[must_use]
    pub const fn place(&self) -> DuePlace {
        DuePlace { scheduled_at: self.scheduled_at, execution_id: self.execution_id }
    }
}

/// A request to start a pending row (R2).
#[derive(Debug, Clone)]
pub struct TakeRequest {
    /// The row.
    pub execution_id: ExecutionId,
    /// The client's own name for this take.
    pub claim_id: ClaimId,
    /// Whether the run holds the job's key: every policy but `overlap = allow`.
    pub holds_key: bool,
    /// How many of the job's caught-up and backfilled rows may run at once, this one among them; `None` where the row is
    /// of another origin, or the job's key keeps them apart (R17).
    pub at_once: Option<u32>,
    /// Whether recovery inserts the next attempt when this run's instance is lost.
    pub rerun_on_crash: bool,
    /// How long the lease lives unless renewed.
    pub lease: Duration,
    /// The taking instance.
    pub instance: InstanceId,
    /// Whether the key is that instance's alone (R26).
    pub every_instance: bool,
}

impl TakeRequest {
    /// The instance in which the key ends, where each instance has its own.
    #[must_use]
    pub fn for_instance(&self) -> Option<InstanceId> {
        self.every_instance.then_some(self.instance)
    }
}

/// A look for pending rows that may be taken (R2).
#[derive(Debug, Clone)]
pub struct DueRequest {
    /// The looking instance: rows that are another's alone are left out (R26).
    pub instance: InstanceId,
    /// Rows of these jobs alone; of all if `None`.
    pub jobs: Option<Vec<JobId>>,
    /// Those after this place, so that what a caller can't start does not hide what it can; from the first on if `None`.
    pub after: Option<DuePlace>,
    /// How many rows at most.
    pub limit: usize,
}

/// What became of a take.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TakeOutcome {
    /// The row runs, and the caller runs it.
    Granted {
        /// The grant.
        grant: Grant,
        /// The row as it now stands, with its parameters and attempt.
        execution: Box<Execution>,
    },
    /// Nothing was written; the row, if pending, goes on waiting.
    Refused(Refusal),
}

/// A lease that this process holds: of a run, or of an outcome that is not written yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLease {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its fence.
    pub fence: FencingToken,
    /// How long the lease lives from now.
    pub lease: Duration,
}

/// A lease that was extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewedLease {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its fence.
    pub fence: FencingToken,
    /// Whether somebody asked the run to stop.
    pub cancel_requested: bool,
}

/// The outcome of a run (R9).
#[derive(Debug, Clone)]
pub struct Finish {
    /// The execution.
    pub execution_id: ExecutionId,
    /// The fence of the run.
    pub fence: FencingToken,
    /// How it ended; a final status.
    pub status: Status,
    /// Why, where the status alone does not say.
    pub reason: Option<Reason>,
    /// What the job said, or the error.
    pub message: Option<String>,
    /// The chain of errors, and a panic's backtrace.
    pub error_trace: Option<String>,
    /// What the job answered.
    pub result_data: Option<Value>,
    /// The attempt that follows, if one does.
    pub next: Option<NextAttempt>,
}

/// An attempt that follows another, inserted in the transaction that ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextAttempt {
    /// How long after the end it may start.
    pub after: Duration,
    /// Whether it holds the job's key while it waits (R16): every policy but `overlap = allow`.
    pub holds_key: bool,
}

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinishOutcome {
    /// The row has this outcome, written now or by an earlier call whose reply was lost.
    Finished {
        /// The status that was written: `cancelled` where a cancel was requested.
        status: Status,
        /// Whether the row had been given up before.
        late: bool,
        /// The attempt that follows, if one was inserted.
        next: Option<ExecutionId>,
    },
    /// The row is another's: it has another outcome, another fence, or a later attempt. Nothing was written.
    Fenced,
}

/// A request to find abandoned runs (R6).
#[derive(Debug, Clone, Copy)]
pub struct RecoverRequest {
    /// The looking instance.
    pub instance: InstanceId,
    /// For how long its heartbeats have been healthy: leases that were given for longer are left alone.
    pub healthy_for: Duration,
    /// How many rows at most.
    pub limit: usize,
}

/// A run that was found abandoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its row.
    pub execution_id: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// The occurrence.
    pub occurrence: OccurrenceKey,
    /// The attempt that was abandoned.
    pub attempt: u32,
    /// The instance that was lost.
    pub instance: Option<InstanceId>,
    /// The attempt that follows, if one was inserted.
    pub next: Option<ExecutionId>,
}

/// A request to run a job now (R19).
#[derive(Debug, Clone)]
pub struct ManualRequest {
    /// The job.
    pub job_id: JobId,
    /// The occurrence's key: of the idempotency key, or of a UUID where there is none.
    pub occurrence: OccurrenceKey,
    /// The hash of the request's canonical form, where an idempotency key was given.
    pub request_hash: Option<String>,
    /// How many attempts the request may have.
    pub max_attempts: u32,
    /// What happens when the job's key is held.
    pub overlap: OverlapPolicy,
    /// Who asks; the audit keeps a request of whom is named.
    pub actor: Option<Actor>,
    /// The parameters.
    pub params: Option<Value>,
    /// The trace that the request belongs to; not part of what a repetition must repeat.
    pub trace_context: Option<TraceContext>,
}

impl ManualRequest {
    /// What the audit keeps of it once it is accepted.
    #[must_use]
    pub fn audit(&self, row: &Execution) -> Option<AuditRecord> {
        let record = AuditRecord::new(self.actor.as_ref()?, Action::Trigger).of_job(&self.job_id);
        Some(record.of_execution(row.id).changing(Value::Null, json!({ "status": row.status })))
    }
}

/// What became of a manual request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ManualOutcome {
    /// Its row waits to be taken.
    Accepted(Box<Execution>),
    /// The same request was made before under its idempotency key: its first attempt as it stands.
    Repeated(Box<Execution>),
    /// Another request was made under its idempotency key.
    IdempotencyConflict,
    /// The job's key is held, and its overlap policy is `skip`.
    AlreadyRunning {
        /// The holder, where it could be read.
        execution_id: Option<ExecutionId>,
    },
    /// The job was never announced to the store.
    UnknownJob,
}
