//! A store behind a link.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Broken, Link, Operation, broken, owned};
use crate::{
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
        TakeRequest, WatermarkMove,
    },
};

/// A store behind a link.
#[derive(Debug, Clone)]
pub(crate) struct LinkedStore<L> {
    inner: Arc<dyn Store>,
    /// What decides who runs, where that is not the store itself.
    deciding: Option<Arc<dyn ExecutionStore>>,
    link: L,
}

impl<L: Link> LinkedStore<L> {
    pub(crate) fn new(store: impl Store, link: L) -> Self {
        Self { inner: Arc::new(store), deciding: None, link }
    }

    /// The same store, of which this decides who runs.
    pub(crate) fn with_deciding(self, deciding: Arc<dyn ExecutionStore>) -> Self {
        Self { deciding: Some(deciding), ..self }
    }

    fn deciding(&self) -> Arc<dyn ExecutionStore> {
        self.deciding.clone().unwrap_or_else(|| Arc::clone(&self.inner) as Arc<dyn ExecutionStore>)
    }

    /// A call by which it is decided who runs.
    async fn decide_by<T: Send + 'static, F>(
        &self,
        operation: Operation,
        call: impl FnOnce(Arc<dyn ExecutionStore>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let carried = self.link.carry(operation, call(self.deciding()));
        carried.await.map_err(|error| store_error(operation, error))
    }

    async fn carry<T: Send + 'static, F>(
        &self,
        operation: Operation,
        call: impl FnOnce(Arc<dyn Store>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let carried = self.link.carry(operation, call(Arc::clone(&self.inner)));
        carried.await.map_err(|error| store_error(operation, error))
    }
}

impl<L: Link> LinkedStore<L> {
    /// A call that borrows what it is asked with.
    async fn carry_within<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.link.carry_within(operation, call).await.map_err(|error| store_error(operation, error))
    }
}

fn store_error(operation: Operation, error: Broken<StoreError>) -> StoreError {
    let operation = operation.as_str();
    match error {
        Broken::Unreachable => StoreError::Unavailable { operation, source: broken() },
        Broken::ReplyLost => StoreError::Unknown { operation, source: broken() },
        Broken::Backend(error) => error,
    }
}

#[async_trait]
impl<L: Link> Store for LinkedStore<L> {
    fn capabilities(&self) -> StoreCapabilities {
        self.inner.capabilities()
    }

    fn attach(&self) -> Arc<dyn Store> {
        Arc::new(Self { inner: self.inner.attach(), deciding: self.deciding.clone(), link: self.link.clone() })
    }

    fn namespace(&self) -> Option<String> {
        self.inner.namespace()
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.carry(Operation::Check, |store| async move { store.check().await }).await
    }
}

#[async_trait]
impl<L: Link> ExecutionStore for LinkedStore<L> {
    async fn claim(&self, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, StoreError> {
        let claims = owned(claims);
        self.decide_by(Operation::Claim, |store| async move { store.claim(&claims).await }).await
    }

    async fn find_claim(&self, lost: &LostClaim) -> Result<Option<ClaimRecord>, StoreError> {
        let lost = lost.clone();
        self.decide_by(Operation::FindClaim, |store| async move { store.find_claim(&lost).await }).await
    }

    async fn due(&self, request: &DueRequest) -> Result<Vec<DueExecution>, StoreError> {
        let request = request.clone();
        self.decide_by(Operation::Due, move |store| async move { store.due(&request).await }).await
    }

    async fn take(&self, requests: &[TakeRequest]) -> Result<Vec<TakeOutcome>, StoreError> {
        let requests = owned(requests);
        self.decide_by(Operation::Take, |store| async move { store.take(&requests).await }).await
    }

    async fn renew(&self, held: &[HeldLease]) -> Result<Vec<RenewedLease>, StoreError> {
        let held = owned(held);
        self.decide_by(Operation::Renew, |store| async move { store.renew(&held).await }).await
    }

    async fn finish(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        let finishes = owned(finishes);
        self.decide_by(Operation::Finish, |store| async move { store.finish(&finishes).await }).await
    }

    async fn survey(&self, request: &SurveyRequest) -> Result<Survey, StoreError> {
        let request = request.clone();
        self.decide_by(Operation::Survey, |store| async move { store.survey(&request).await }).await
    }

    async fn advance(&self, moves: &[WatermarkMove]) -> Result<Vec<JobId>, StoreError> {
        let moves = owned(moves);
        self.decide_by(Operation::Advance, |store| async move { store.advance(&moves).await }).await
    }

    async fn decide(&self, passes: &[Deciding<'_>]) -> Result<Vec<Option<Decided>>, StoreError> {
        let deciding = self.deciding();
        self.carry_within(Operation::Decide, deciding.decide(passes)).await
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Vec<Recovered>, StoreError> {
        let request = *request;
        self.decide_by(Operation::Recover, |store| async move { store.recover(&request).await }).await
    }

    async fn make_way(&self, jobs: &[JobId]) -> Result<Vec<ExecutionId>, StoreError> {
        let jobs = owned(jobs);
        self.decide_by(Operation::MakeWay, |store| async move { store.make_way(&jobs).await }).await
    }

    async fn request(&self, request: &ManualRequest) -> Result<ManualOutcome, StoreError> {
        let request = request.clone();
        self.decide_by(Operation::Request, |store| async move { store.request(&request).await }).await
    }
}

#[async_trait]
impl<L: Link> HistoryStore for LinkedStore<L> {
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.carry(Operation::Read, |store| async move { store.execution(id).await }).await
    }

    async fn newest_attempt(&self, job: &JobId, occurrence: &OccurrenceKey) -> Result<Option<Execution>, StoreError> {
        let (job, occurrence) = (job.clone(), occurrence.clone());
        self.carry(Operation::Read, |store| async move { store.newest_attempt(&job, &occurrence).await }).await
    }

    async fn attempts(
        &self,
        job: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        let (job, occurrence) = (job.clone(), occurrence.clone());
        self.carry(Operation::Read, |store| async move { store.attempts(&job, &occurrence, most).await }).await
    }

    async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError> {
        let query = query.clone();
        self.carry(Operation::Read, |store| async move { store.executions(&query).await }).await
    }

    async fn latest(&self, jobs: &[JobId]) -> Result<Vec<Execution>, StoreError> {
        let jobs = owned(jobs);
        self.carry(Operation::Read, |store| async move { store.latest(&jobs).await }).await
    }

    async fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        self.carry_within(Operation::Prune, self.inner.prune(request)).await
    }
}

#[async_trait]
impl<L: Link> ControlStore for LinkedStore<L> {
    async fn announce(&self, request: &AnnounceRequest, planner: &dyn Planner) -> Result<Vec<Announced>, StoreError> {
        self.carry_within(Operation::Announce, self.inner.announce(request, planner)).await
    }

    async fn revisions(&self, job_id: &JobId) -> Result<Vec<Arc<JobRevision>>, StoreError> {
        let job_id = job_id.clone();
        self.carry(Operation::States, |store| async move { store.revisions(&job_id).await }).await
    }

    async fn orphaned(&self, lease: Duration) -> Result<Vec<JobState>, StoreError> {
        self.carry(Operation::States, |store| async move { store.orphaned(lease).await }).await
    }

    async fn pauses_over(&self, limit: usize) -> Result<Vec<JobId>, StoreError> {
        self.carry(Operation::States, |store| async move { store.pauses_over(limit).await }).await
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, StoreError> {
        let heartbeat = heartbeat.clone();
        self.carry(Operation::Heartbeat, |store| async move { store.heartbeat(&heartbeat).await }).await
    }

    async fn leave(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.carry(Operation::Leave, |store| async move { store.leave(instance).await }).await
    }

    async fn states(&self, jobs: &[JobId]) -> Result<Vec<JobState>, StoreError> {
        let jobs = owned(jobs);
        self.carry(Operation::States, |store| async move { store.states(&jobs).await }).await
    }

    async fn instances(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        self.carry(Operation::States, |store| async move { store.instances().await }).await
    }
}

#[async_trait]
impl<L: Link> OperatorStore for LinkedStore<L> {
    async fn pause(&self, request: &PauseRequest, planner: &dyn Planner) -> Result<PauseOutcome, StoreError> {
        self.carry_within(Operation::Operate, self.inner.pause(request, planner)).await
    }

    async fn resume(&self, request: &ResumeRequest, planner: &dyn Planner) -> Result<ResumeOutcome, StoreError> {
        self.carry_within(Operation::Operate, self.inner.resume(request, planner)).await
    }

    async fn backfill(&self, request: &BackfillRequest) -> Result<Option<Vec<BackfillAnswer>>, StoreError> {
        self.carry_within(Operation::Operate, self.inner.backfill(request)).await
    }

    async fn retry(&self, request: &RetryRequest) -> Result<RetryOutcome, StoreError> {
        self.carry_within(Operation::Operate, self.inner.retry(request)).await
    }

    async fn cancel(&self, request: &CancelRequest) -> Result<CancelOutcome, StoreError> {
        self.carry_within(Operation::Cancel, self.inner.cancel(request)).await
    }

    async fn skip(&self, request: &SkipRequest) -> Result<SkipOutcome, StoreError> {
        self.carry_within(Operation::Operate, self.inner.skip(request)).await
    }

    async fn record(&self, record: &AuditRecord) -> Result<AuditId, StoreError> {
        self.carry_within(Operation::Operate, self.inner.record(record)).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.carry_within(Operation::Read, self.inner.audit(query)).await
    }
}

#[async_trait]
impl<L: Link> ReportStore for LinkedStore<L> {
    async fn report(&self, reports: &[Report]) -> Result<(), StoreError> {
        let reports = owned(reports);
        self.carry(Operation::Report, |store| async move { store.report(&reports).await }).await
    }

    async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        let query = *query;
        self.carry(Operation::Read, move |store| async move { store.logs(&query).await }).await
    }
}
