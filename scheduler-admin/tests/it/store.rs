//! A store that a test makes fail for those who read and request; the engine's own calls go through.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_admin::async_trait;
use scheduler_core::{
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    occurrence::OccurrenceKey,
    store::{
        AnnounceRequest, Announced, AuditEntry, AuditId, AuditQuery, AuditRecord, BackfillAnswer, BackfillRequest,
        CancelOutcome, CancelRequest, Claim, ClaimOutcome, ClaimRecord, ControlStore, Decided, Deciding, DueExecution,
        DueRequest, ExecutionPage, ExecutionQuery, ExecutionStore, Finish, FinishOutcome, Heartbeat, HeldLease,
        HistoryStore, InstanceRecord, JobRevision, JobState, LogPage, LogQuery, LostClaim, ManualOutcome,
        ManualRequest, OperatorStore, PauseOutcome, PauseRequest, Planner, PruneRequest, Pruned, RecoverRequest,
        Recovered, RenewedLease, Report, ReportStore, ResumeOutcome, ResumeRequest, RetryOutcome, RetryRequest,
        SkipOutcome, SkipRequest, Store, StoreCapabilities, StoreError, Survey, SurveyRequest, TakeOutcome,
        TakeRequest, WatermarkMove, memory::MemoryStore,
    },
};
use tokio::sync::Notify;

/// What no answer may contain.
pub(crate) const SECRET: &str = "SELECT password FROM db.internal:5432";

/// How reads and requests end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    Works,
    /// As `Away`, but requests are taken.
    ReadsAway,
    Away,
    Lost,
    Refuses,
    Panics,
}

#[derive(Debug, Clone)]
pub(crate) struct TestStore {
    inner: MemoryStore,
    mode: Arc<AtomicU8>,
    /// Told of each look of somebody who waits for an occurrence's end.
    pub(crate) looked: Arc<Notify>,
}

impl TestStore {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self { inner, mode: Arc::new(AtomicU8::new(Mode::Works as u8)), looked: Arc::default() }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }

    fn gate(&self) -> Result<(), StoreError> {
        let mode = self.mode.load(Ordering::SeqCst);
        let operation = "answer a test";
        let is = |expected: Mode| mode == expected as u8;
        if is(Mode::Away) || is(Mode::ReadsAway) {
            Err(StoreError::Unavailable { operation, source: SECRET.into() })
        } else if is(Mode::Lost) {
            Err(StoreError::Unknown { operation, source: SECRET.into() })
        } else if is(Mode::Refuses) {
            Err(StoreError::Rejected { operation, source: SECRET.into() })
        } else if is(Mode::Panics) {
            panic!("{SECRET}")
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Store for TestStore {
    fn capabilities(&self) -> StoreCapabilities {
        self.inner.capabilities()
    }

    fn attach(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        self.inner.prepare().await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.inner.check().await
    }
}

#[async_trait]
impl HistoryStore for TestStore {
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.gate()?;
        self.inner.execution(id).await
    }

    async fn newest_attempt(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
    ) -> Result<Option<Execution>, StoreError> {
        self.looked.notify_one();
        self.gate()?;
        self.inner.newest_attempt(job_id, occurrence).await
    }

    async fn attempts(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        self.gate()?;
        self.inner.attempts(job_id, occurrence, most).await
    }

    async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError> {
        self.gate()?;
        self.inner.executions(query).await
    }

    async fn latest(&self, jobs: &[JobId]) -> Result<Vec<Execution>, StoreError> {
        self.gate()?;
        self.inner.latest(jobs).await
    }

    async fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        self.gate()?;
        self.inner.prune(request).await
    }
}

#[async_trait]
impl ExecutionStore for TestStore {
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError> {
        self.inner.claim(claims).await
    }

    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError> {
        self.inner.find_claim(lost).await
    }

    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError> {
        self.inner.due(request).await
    }

    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError> {
        self.inner.take(requests).await
    }

    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError> {
        self.inner.renew(held).await
    }

    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        self.inner.finish(finishes).await
    }

    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError> {
        self.inner.survey(request).await
    }

    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError> {
        self.inner.advance(moves).await
    }

    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError> {
        self.inner.decide(passes).await
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError> {
        self.inner.recover(request).await
    }

    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError> {
        self.inner.make_way(jobs).await
    }

    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError> {
        if self.mode.load(Ordering::SeqCst) != Mode::ReadsAway as u8 {
            self.gate()?;
        }
        self.inner.request(request).await
    }
}

#[async_trait]
impl ControlStore for TestStore {
    async fn announce(&self, request: &AnnounceRequest, planner: &dyn Planner) -> Result<Vec<Announced>, StoreError> {
        self.inner.announce(request, planner).await
    }

    async fn revisions(&self, job_id: &JobId) -> Result<Vec<Arc<JobRevision>>, StoreError> {
        self.gate()?;
        self.inner.revisions(job_id).await
    }

    async fn orphaned(&self, lease: Duration) -> Result<Vec<JobState>, StoreError> {
        self.gate()?;
        self.inner.orphaned(lease).await
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, StoreError> {
        self.inner.heartbeat(heartbeat).await
    }

    async fn leave(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.inner.leave(instance).await
    }

    async fn states(&self, jobs: &[JobId]) -> Result<Vec<JobState>, StoreError> {
        self.inner.states(jobs).await
    }

    async fn pauses_over(&self, limit: usize) -> Result<Vec<JobId>, StoreError> {
        self.inner.pauses_over(limit).await
    }

    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        self.inner.instances().await
    }
}

#[async_trait]
impl OperatorStore for TestStore {
    async fn pause(&self, request: &PauseRequest, planner: &dyn Planner) -> Result<PauseOutcome, StoreError> {
        self.gate()?;
        self.inner.pause(request, planner).await
    }

    async fn resume(&self, request: &ResumeRequest, planner: &dyn Planner) -> Result<ResumeOutcome, StoreError> {
        self.gate()?;
        self.inner.resume(request, planner).await
    }

    async fn backfill(&self, request: &BackfillRequest) -> Result<Option<Vec<BackfillAnswer>>, StoreError> {
        self.gate()?;
        self.inner.backfill(request).await
    }

    async fn retry(&self, request: &RetryRequest) -> Result<RetryOutcome, StoreError> {
        self.gate()?;
        self.inner.retry(request).await
    }

    async fn cancel(&self, request: &CancelRequest) -> Result<CancelOutcome, StoreError> {
        self.gate()?;
        self.inner.cancel(request).await
    }

    async fn skip(&self, request: &SkipRequest) -> Result<SkipOutcome, StoreError> {
        self.gate()?;
        self.inner.skip(request).await
    }

    async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError> {
        self.gate()?;
        self.inner.record(record).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.gate()?;
        self.inner.audit(query).await
    }
}

#[async_trait]
impl ReportStore for TestStore {
    async fn report(&self, reports: &[Report]) -> Result<(), StoreError> {
        self.inner.report(reports).await
    }

    async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        self.gate()?;
        self.inner.logs(query).await
    }
}
