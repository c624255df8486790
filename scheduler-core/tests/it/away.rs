//! Backends that a test takes away.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use scheduler_core::{
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockLease, memory::MemoryLocks},
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
use tokio::sync::watch;

/// What a backend's answers are like.
#[derive(Debug, Clone)]
pub(crate) struct Switch {
    away: Arc<AtomicBool>,
    /// Does what it is asked, and its answer is lost.
    loses_answers: Arc<AtomicBool>,
    /// Does what it is asked, and its answer comes once it is let go.
    holds_answers: Arc<watch::Sender<bool>>,
    /// Refuses outcomes of this job's rows that say anything of their own.
    refuses: Arc<Mutex<Option<&'static str>>>,
    /// How often executions' words came.
    reports: Arc<AtomicUsize>,
    /// The one operation that fares as above; none for all.
    only: Arc<Mutex<Option<&'static str>>>,
}

impl Default for Switch {
    fn default() -> Self {
        Self {
            away: Arc::default(),
            loses_answers: Arc::default(),
            holds_answers: Arc::new(watch::Sender::new(false)),
            refuses: Arc::default(),
            reports: Arc::default(),
            only: Arc::default(),
        }
    }
}

impl Switch {
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn set_losing_answers(&self, loses: bool) {
        self.loses_answers.store(loses, Ordering::SeqCst);
    }

    pub(crate) fn set_holding_answers(&self, holds: bool) {
        self.holds_answers.send_replace(holds);
    }

    /// Leaves every operation but this one alone.
    pub(crate) fn set_only(&self, operation: &'static str) {
        *self.only.lock().expect("no test panics with it") = Some(operation);
    }

    /// Refuses passes over this job, and outcomes of it that say what the job said.
    pub(crate) fn set_refusing(&self, job: &'static str) {
        *self.refuses.lock().expect("no test panics with it") = Some(job);
    }

    /// How often executions' words came.
    pub(crate) fn reports(&self) -> usize {
        self.reports.load(Ordering::SeqCst)
    }

    fn concerns(&self, operation: &'static str) -> bool {
        self.only.lock().expect("no test panics with it").is_none_or(|only| only == operation)
    }

    fn is_away(&self, operation: &'static str) -> bool {
        self.away.load(Ordering::SeqCst) && self.concerns(operation)
    }

    fn loses_answers(&self, operation: &'static str) -> bool {
        self.loses_answers.load(Ordering::SeqCst) && self.concerns(operation)
    }

    async fn let_go(&self, operation: &'static str) {
        if self.concerns(operation) {
            let _ = self.holds_answers.subscribe().wait_for(|holds| !holds).await;
        }
    }
}

/// A memory store behind a switch.
#[derive(Debug, Clone)]
pub(crate) struct SwitchedStore {
    pub(crate) inner: MemoryStore,
    pub(crate) switch: Switch,
}

impl SwitchedStore {
    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if self.switch.is_away(operation) {
            return Err(StoreError::Unavailable { operation, source: "the test took it away".into() });
        }
        let answer = call.await;
        self.switch.let_go(operation).await;
        if self.switch.loses_answers(operation) {
            return Err(StoreError::Unknown { operation, source: "the test lost the answer".into() });
        }
        answer
    }
}

#[async_trait]
impl Store for SwitchedStore {
    fn capabilities(&self) -> StoreCapabilities {
        self.inner.capabilities()
    }

    fn attach(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.call("check", self.inner.check()).await
    }
}

#[async_trait]
impl ExecutionStore for SwitchedStore {
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError> {
        self.call("claim", self.inner.claim(claims)).await
    }

    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError> {
        self.call("find a claim", self.inner.find_claim(lost)).await
    }

    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError> {
        self.call("look", self.inner.due(request)).await
    }

    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError> {
        self.call("take", self.inner.take(requests)).await
    }

    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError> {
        self.call("renew", self.inner.renew(held)).await
    }

    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        let refused = *self.switch.refuses.lock().expect("no test panics with it");
        for finish in finishes.iter().filter(|finish| finish.message.as_deref() == Some("undisturbed")) {
            let row = self.inner.execution(finish.execution_id).await?;
            if row.is_some_and(|row| Some(row.job_id.as_str()) == refused) {
                return Err(StoreError::Rejected { operation: "finish", source: "the test refuses it".into() });
            }
        }
        self.call("finish", self.inner.finish(finishes)).await
    }

    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError> {
        self.call("look at what went by", self.inner.survey(request)).await
    }

    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError> {
        self.call("move watermarks", self.inner.advance(moves)).await
    }

    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError> {
        let refused = *self.switch.refuses.lock().expect("no test panics with it");
        if passes.iter().any(|pass| Some(pass.request.job_id.as_str()) == refused) {
            return Err(StoreError::Rejected { operation: "decide", source: "the test refuses it".into() });
        }
        self.call("decide", self.inner.decide(passes)).await
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError> {
        self.call("recover", self.inner.recover(request)).await
    }

    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError> {
        self.call("ask holders to stop", self.inner.make_way(jobs)).await
    }

    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError> {
        self.call("request", self.inner.request(request)).await
    }
}

#[async_trait]
impl HistoryStore for SwitchedStore {
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.inner.execution(id).await
    }

    async fn newest_attempt(&self, job: &JobId, occurrence: &OccurrenceKey) -> Result<Option<Execution>, StoreError> {
        self.inner.newest_attempt(job, occurrence).await
    }

    async fn attempts(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        self.inner.attempts(job_id, occurrence, most).await
    }

    async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError> {
        self.inner.executions(query).await
    }

    async fn latest(&self, jobs: &[JobId]) -> Result<Vec<Execution>, StoreError> {
        self.inner.latest(jobs).await
    }

    async fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        self.inner.prune(request).await
    }
}

#[async_trait]
impl ControlStore for SwitchedStore {
    async fn announce(&self, request: &AnnounceRequest, planner: &dyn Planner) -> Result<Vec<Announced>, StoreError> {
        self.call("announce", self.inner.announce(request, planner)).await
    }

    async fn revisions(&self, job_id: &JobId) -> Result<Vec<Arc<JobRevision>>, StoreError> {
        self.call("read revisions", self.inner.revisions(job_id)).await
    }

    async fn orphaned(&self, lease: std::time::Duration) -> Result<Vec<JobState>, StoreError> {
        self.inner.orphaned(lease).await
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, StoreError> {
        self.call("heartbeat", self.inner.heartbeat(heartbeat)).await
    }

    async fn leave(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.call("leave", self.inner.leave(instance)).await
    }

    async fn states(&self, jobs: &[JobId]) -> Result<Vec<JobState>, StoreError> {
        self.inner.states(jobs).await
    }

    async fn pauses_over(&self, limit: usize) -> Result<Vec<JobId>, StoreError> {
        self.call("look for pauses that are over", self.inner.pauses_over(limit)).await
    }

    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        self.inner.instances().await
    }
}

#[async_trait]
impl OperatorStore for SwitchedStore {
    async fn pause(&self, request: &PauseRequest, planner: &dyn Planner) -> Result<PauseOutcome, StoreError> {
        self.call("pause", self.inner.pause(request, planner)).await
    }

    async fn resume(&self, request: &ResumeRequest, planner: &dyn Planner) -> Result<ResumeOutcome, StoreError> {
        self.call("resume", self.inner.resume(request, planner)).await
    }

    async fn backfill(&self, request: &BackfillRequest) -> Result<Option<Vec<BackfillAnswer>>, StoreError> {
        self.call("backfill", self.inner.backfill(request)).await
    }

    async fn retry(&self, request: &RetryRequest) -> Result<RetryOutcome, StoreError> {
        self.call("retry", self.inner.retry(request)).await
    }

    async fn cancel(&self, request: &CancelRequest) -> Result<CancelOutcome, StoreError> {
        self.call("cancel", self.inner.cancel(request)).await
    }

    async fn skip(&self, request: &SkipRequest) -> Result<SkipOutcome, StoreError> {
        self.call("skip", self.inner.skip(request)).await
    }

    async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError> {
        self.call("record", self.inner.record(record)).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.call("read the audit", self.inner.audit(query)).await
    }
}

#[async_trait]
impl ReportStore for SwitchedStore {
    async fn report(&self, reports: &[Report]) -> Result<(), StoreError> {
        self.switch.reports.fetch_add(1, Ordering::SeqCst);
        if reports.iter().flat_map(|report| &report.lines).any(|line| line.message == "poison") {
            return Err(StoreError::Rejected { operation: "report", source: "the test refuses it".into() });
        }
        self.call("report", self.inner.report(reports)).await
    }

    async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        self.inner.logs(query).await
    }
}

/// Memory locks behind a switch.
#[derive(Debug, Clone)]
pub(crate) struct SwitchedLocks {
    pub(crate) inner: MemoryLocks,
    pub(crate) switch: Switch,
}

impl SwitchedLocks {
    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, LockError>> + Send,
    ) -> Result<T, LockError> {
        if self.switch.is_away(operation) {
            return Err(LockError::Unavailable { operation, source: "the test took it away".into() });
        }
        let answer = call.await;
        if self.switch.loses_answers(operation) {
            return Err(LockError::Unavailable { operation, source: "the test lost the answer".into() });
        }
        answer
    }
}

#[async_trait]
impl LockBackend for SwitchedLocks {
    fn attach(&self) -> Arc<dyn LockBackend> {
        Arc::new(self.clone())
    }

    async fn check(&self) -> Result<(), LockError> {
        self.call("check", self.inner.check()).await
    }

    async fn acquire(&self, requests: &[AcquireRequest]) -> Result<Vec<Acquired>, LockError> {
        self.call("acquire", self.inner.acquire(requests)).await
    }

    async fn cursor(&self, job_id: &JobId) -> Result<Option<DateTime<Utc>>, LockError> {
        self.call("read a cursor", self.inner.cursor(job_id)).await
    }

    async fn renew(&self, lease: &LockLease, ttl: std::time::Duration) -> Result<bool, LockError> {
        self.call("renew", self.inner.renew(lease, ttl)).await
    }

    async fn release(&self, lease: &LockLease) -> Result<bool, LockError> {
        self.call("release", self.inner.release(lease)).await
    }
}
