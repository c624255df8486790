//! The store in this process's memory.

mod audit;
mod backfill;
mod claim;
mod control;
mod decide;
mod dependants;
mod finish;
mod history;
mod job;
mod keys;
mod manual;
mod operator;
mod overlap;
mod pause;
mod recover;
mod report;
mod state;
mod survey;
mod take;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use self::state::State;
use super::{
    AnnounceRequest, Announced, AuditEntry, AuditId, AuditQuery, AuditRecord, BackfillAnswer, BackfillRequest,
    CancelOutcome, CancelRequest, Claim, ClaimOutcome, ClaimRecord, ControlStore, Decided, Deciding, DueExecution,
    DueRequest, ExecutionPage, ExecutionQuery, ExecutionStore, Finish, FinishOutcome, Heartbeat, HeldLease,
    HistoryStore, InstanceRecord, JobRevision, JobState, LogPage, LogQuery, LostClaim, ManualOutcome, ManualRequest,
    OperatorStore, PauseOutcome, PauseRequest, Planner, PruneRequest, Pruned, RecoverRequest, Recovered, RenewedLease,
    Report, ReportStore, ResumeOutcome, ResumeRequest, RetryOutcome, RetryRequest, SkipOutcome, SkipRequest, Store,
    StoreCapabilities, StoreError, Summary, SummaryQuery, Survey, SurveyRequest, TakeOutcome, TakeRequest,
    WatermarkMove,
};
use crate::{
    clock::{Clock, SystemClock},
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    occurrence::OccurrenceKey,
};

/// How many final rows are kept unless told otherwise: a few megabytes.
const HISTORY_LIMIT: usize = 10_000;

/// A store in this process's memory: for tests, first steps, and services that need no history after a restart.
///
/// It keeps the last 10,000 final rows, or as many as [`MemoryStore::with_history_limit`] says. What is dropped can't
/// run again: the job's watermark, and above it a record of what was decided, outlive the rows, and what lies below the
/// newest of them is not backfilled any more. A manual request's idempotency key is forgotten with its rows. Of log lines it
/// keeps 16 MiB. Clones share everything.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    capabilities: StoreCapabilities,
}

impl MemoryStore {
    /// An empty store by the machine's clock, of this process's engine alone.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State::new(HISTORY_LIMIT))),
            clock: Arc::new(SystemClock),
            capabilities: StoreCapabilities::MEMORY,
        }
    }

    /// The same store, by this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same store, keeping about this many final rows: more only while an occurrence's next attempt is open.
    #[must_use]
    pub fn with_history_limit(self, rows: usize) -> Self {
        self.write(|state, _| state.limit_history(rows));
        self
    }

    /// The same store, declared as shared: for several engines in one process, with a clone each.
    #[must_use]
    pub fn declared_shared(mut self) -> Self {
        self.capabilities.shared = true;
        self
    }

    /// The same store, declared to have a clock of its own: for engines whose clocks differ from it.
    #[must_use]
    pub fn declared_server_clock(mut self) -> Self {
        self.capabilities.server_clock = true;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction, and the instant at which it happens.
    fn write<T>(&self, transaction: impl FnOnce(&mut State, DateTime<Utc>) -> T) -> T {
        let mut state = self.state();
        let answer = transaction(&mut state, self.clock.now());
        state.prune();
        answer
    }
}

/// What a test does to a store from outside.
#[cfg(any(test, feature = "testing"))]
impl MemoryStore {
    /// Sets the lease of a running execution to have expired now. The lease goes on to exist.
    pub fn expire_lease(&self, execution: ExecutionId) {
        self.write(|state, now| state.expire_lease(execution, now));
    }

    /// Pauses a job, or resumes it. No rows are written and the watermark stays.
    pub fn set_pause(&self, job: &JobId, pause: Option<super::Pause>) {
        self.state().set_pause(job, pause);
    }

    /// Changes a row by hand, as an operator does with a client of a database: past every rule.
    ///
    /// The closure must leave id, job and occurrence alone.
    pub fn edit(&self, execution: ExecutionId, change: impl FnOnce(&mut Execution)) {
        self.state().change(execution, change);
    }

    /// Adds a row by hand, of a job that was announced; its id is the next one, whatever it says.
    pub fn put(&self, execution: Execution) -> ExecutionId {
        self.state().put(execution)
    }

    /// Whether a row runs.
    pub(crate) fn is_running(&self) -> bool {
        !self.state().leases.is_empty()
    }

    /// When the first of the pending rows may be taken that may not be taken yet.
    pub(crate) fn next_pending(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.state().next_pending(now)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> StoreCapabilities {
        self.capabilities
    }

    fn attach(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl ExecutionStore for MemoryStore {
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError> {
        Ok(self.write(|state, now| claims.iter().map(|claim| state.claim(claim, now)).collect()))
    }

    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError> {
        let state = self.state();
        Ok(state.find_claim(lost, self.clock.now()))
    }

    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError> {
        let state = self.state();
        Ok(state.due(request, self.clock.now()))
    }

    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError> {
        Ok(self.write(|state, now| requests.iter().map(|request| state.take(request, now)).collect()))
    }

    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError> {
        Ok(self.write(|state, now| held.iter().filter_map(|held| state.renew(held, now)).collect()))
    }

    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        Ok(self.write(|state, now| finishes.iter().map(|finish| state.finish(finish, now)).collect()))
    }

    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError> {
        Ok(self.write(|state, now| state.survey(request, now)))
    }

    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError> {
        Ok(self.write(|state, _| state.advance(moves)))
    }

    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError> {
        self.write(|state, now| state.decide(passes, now))
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError> {
        Ok(self.write(|state, now| state.recover(request, now)))
    }

    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError> {
        Ok(self.write(|state, now| jobs.iter().flat_map(|job_id| state.make_way(job_id, now)).collect()))
    }

    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError> {
        Ok(self.write(|state, now| state.request(request, now)))
    }
}

#[async_trait]
impl HistoryStore for MemoryStore {
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        Ok(self.state().shown(id))
    }

    async fn newest_attempt(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
    ) -> Result<Option<Execution>, StoreError> {
        let state = self.state();
        Ok(state.newest_attempt(job_id, occurrence).map(|row| state.said.with_progress(row)))
    }

    async fn attempts(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        Ok(self.state().newest_attempts(job_id, occurrence, most))
    }

    async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError> {
        Ok(self.state().page(query))
    }

    async fn latest(&self, jobs: &[JobId]) -> Result<Vec<Execution>, StoreError> {
        Ok(self.state().latest(jobs))
    }

    async fn summary(&self, query: &SummaryQuery) -> Result<Summary, StoreError> {
        Ok(self.state().summary(query))
    }

    async fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        Ok(self.write(|state, _| state.prune_before(request)))
    }
}

#[async_trait]
impl ControlStore for MemoryStore {
    async fn announce(&self, request: &AnnounceRequest, planner: &dyn Planner) -> Result<Vec<Announced>, StoreError> {
        self.write(|state, now| state.announce(request, planner, now))
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.write(|state, now| {
            state.heartbeat(heartbeat, now);
            now
        }))
    }

    async fn leave(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.write(|state, now| state.leave(instance, now));
        Ok(())
    }

    async fn states(&self, jobs: &[JobId]) -> Result<Vec<JobState>, StoreError> {
        Ok(self.state().job_states(jobs))
    }

    async fn revisions(&self, job_id: &JobId) -> Result<Vec<Arc<JobRevision>>, StoreError> {
        Ok(self.state().revisions(job_id))
    }

    async fn orphaned(&self, lease: std::time::Duration) -> Result<Vec<JobState>, StoreError> {
        let state = self.state();
        Ok(state.orphaned(lease, self.clock.now()))
    }

    async fn pauses_over(&self, limit: usize) -> Result<Vec<JobId>, StoreError> {
        let state = self.state();
        Ok(state.pauses_over(limit, self.clock.now()))
    }

    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        Ok(self.state().instance_records())
    }
}

#[async_trait]
impl OperatorStore for MemoryStore {
    async fn pause(&self, request: &PauseRequest, planner: &dyn Planner) -> Result<PauseOutcome, StoreError> {
        self.write(|state, now| state.pause(request, planner, now))
    }

    async fn resume(&self, request: &ResumeRequest, planner: &dyn Planner) -> Result<ResumeOutcome, StoreError> {
        self.write(|state, now| state.resume(request, planner, now))
    }

    async fn backfill(&self, request: &BackfillRequest) -> Result<Option<Vec<BackfillAnswer>>, StoreError> {
        Ok(self.write(|state, now| state.backfill(request, now)))
    }

    async fn retry(&self, request: &RetryRequest) -> Result<RetryOutcome, StoreError> {
        Ok(self.write(|state, now| state.retry(request, now)))
    }

    async fn cancel(&self, request: &CancelRequest) -> Result<CancelOutcome, StoreError> {
        Ok(self.write(|state, now| state.cancel(request, now)))
    }

    async fn skip(&self, request: &SkipRequest) -> Result<SkipOutcome, StoreError> {
        Ok(self.write(|state, now| state.skip(request, now)))
    }

    async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError> {
        Ok(self.write(|state, now| state.audit.append(record.clone(), now)))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.state().audit.read(query))
    }
}

#[async_trait]
impl ReportStore for MemoryStore {
    async fn report(&self, reports: &[Report]) -> Result<(), StoreError> {
        self.write(|state, _| reports.iter().for_each(|report| state.report(report)));
        Ok(())
    }

    async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        Ok(self.state().said.logs(query))
    }
}
