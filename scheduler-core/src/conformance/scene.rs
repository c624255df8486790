//! A store with one announced job, and the questions that cases ask it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::{
    conformance::StoreHarness,
    execution::Execution,
    identity::{ClaimId, ExecutionId, InstanceId, JobId, RevisionId},
    job::OverlapPolicy,
    occurrence::OccurrenceKey,
    status::Status,
    store::{
        Actor, AnnounceRequest, Announced, Announcement, CancelOutcome, CancelRequest, Claim, ClaimOutcome,
        DecideRequest, DecideView, Decided, Deciding, DecisionPlan, DueExecution, DueRequest, ExecutionFilter,
        ExecutionQuery, Finish, FinishOutcome, Grant, Heartbeat, HeldLease, JobState, ManualOutcome, ManualRequest,
        NextAttempt, PageStart, Pause, Planner, RecoverRequest, Recovered, RenewedLease, Store, StoreError,
        TakeOutcome, TakeRequest,
    },
    trace_context::TraceContext,
};

/// The lease that rows get.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// How much time has gone by since the job was announced: what its occurrences lie within.
const HEAD_START: Duration = Duration::from_millis(200);

/// A store, an instance, and a job that the instance announced a moment ago.
pub(crate) struct Scene<'a> {
    pub(crate) harness: &'a dyn StoreHarness,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) instance: InstanceId,
    pub(crate) job: JobId,
    pub(crate) revision: RevisionId,
    /// The watermark that the job began with.
    pub(crate) watermark: DateTime<Utc>,
}

/// One pass over one job.
pub(crate) async fn decide_one(
    store: &dyn Store,
    request: &DecideRequest,
    planner: &dyn Planner,
) -> Result<Option<Decided>, StoreError> {
    let pass = Deciding { request: request.clone(), planner };
    Ok(store.decide(&[pass]).await?.pop().flatten())
}

impl<'a> Scene<'a> {
    /// A pass up to now.
    pub(crate) fn decide_request(&self) -> DecideRequest {
        DecideRequest {
            job_id: self.job.clone(),
            revision: self.revision,
            instance: self.instance,
            lag: Duration::ZERO,
            limit: 100,
        }
    }

    pub(crate) async fn decide(
        &self,
        request: &DecideRequest,
        planner: &dyn Planner,
    ) -> Result<Option<Decided>, StoreError> {
        decide_one(&*self.store, request, planner).await
    }

    pub(crate) async fn new(harness: &'a dyn StoreHarness) -> Self {
        let (store, instance, job) = (harness.store(), InstanceId::random(), job("conformance"));
        beat(&*store, instance).await;
        let announced = announce(&*store, instance, &announcement(&job, "first")).await;
        assert!(announced.current);
        let Announced { state, .. } = announced;
        harness.pass(HEAD_START).await;
        Self { harness, store, instance, job, revision: state.revision, watermark: state.watermark }
    }

    /// The same store and instance, and another job, announced now.
    pub(crate) async fn beside(&self, name: &str) -> Self {
        self.beside_as(announcement(&job(name), "first")).await
    }

    /// The same store and instance, and this job, announced now.
    pub(crate) async fn beside_as(&self, announcement: Announcement) -> Self {
        let announced = announce(&*self.store, self.instance, &announcement).await;
        self.harness.pass(HEAD_START).await;
        Self {
            harness: self.harness,
            store: Arc::clone(&self.store),
            instance: self.instance,
            job: announcement.job_id,
            revision: announced.state.revision,
            watermark: announced.state.watermark,
        }
    }

    /// The store's clock.
    pub(crate) async fn now(&self) -> DateTime<Utc> {
        beat(&*self.store, self.instance).await
    }

    /// An occurrence that is due, this many milliseconds (1 to 150) above the first watermark.
    pub(crate) fn at(&self, millis: i64) -> DateTime<Utc> {
        assert!((1..=150).contains(&millis));
        let watermark = self.watermark.timestamp_millis() + 1;
        DateTime::from_timestamp_millis(watermark + millis).expect("within chrono's range")
    }

    /// A claim of the occurrence at this instant.
    pub(crate) fn claim_at(&self, at: DateTime<Utc>) -> Claim {
        Claim {
            claim_id: ClaimId::random(),
            job_id: self.job.clone(),
            revision: self.revision,
            occurrence: OccurrenceKey::scheduled(at),
            scheduled_at: at,
            not_before: at,
            deadline: at + TimeDelta::seconds(600),
            max_attempts: 3,
            overlap: OverlapPolicy::Skip,
            rerun_on_crash: false,
            lease: LEASE,
            instance: self.instance,
            every_instance: false,
        }
    }

    /// A claim of the occurrence at [`Scene::at`].
    pub(crate) fn claim(&self, millis: i64) -> Claim {
        self.claim_at(self.at(millis))
    }

    pub(crate) async fn try_claim(&self, claim: &Claim) -> ClaimOutcome {
        let mut outcomes = self.store.claim(std::slice::from_ref(claim)).await.expect("the store answers");
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    /// Claims what must be granted.
    pub(crate) async fn granted(&self, claim: &Claim) -> Grant {
        match self.try_claim(claim).await {
            ClaimOutcome::Granted(grant) => grant,
            other => panic!("expected a grant, got {other:?}"),
        }
    }

    pub(crate) async fn row(&self, id: ExecutionId) -> Execution {
        self.store.execution(id).await.expect("the store answers").unwrap_or_else(|| panic!("execution {id} is there"))
    }

    pub(crate) async fn newest(&self, at: DateTime<Utc>) -> Option<Execution> {
        let occurrence = OccurrenceKey::scheduled(at);
        self.store.newest_attempt(&self.job, &occurrence).await.expect("the store answers")
    }

    /// The job's state.
    pub(crate) async fn state(&self) -> JobState {
        let states = self.store.states(std::slice::from_ref(&self.job)).await;
        states.expect("the store answers").pop().expect("the job was announced")
    }

    /// The job's rows, oldest first.
    pub(crate) async fn rows(&self) -> Vec<Execution> {
        let query = ExecutionQuery {
            filter: ExecutionFilter { job_id: Some(self.job.clone()), ..ExecutionFilter::default() },
            start: PageStart::Offset(0),
            limit: 10_000,
            count: false,
        };
        let mut rows = self.store.executions(&query).await.expect("the store answers").executions;
        rows.reverse();
        rows
    }

    pub(crate) fn due_request(&self, limit: usize) -> DueRequest {
        DueRequest { instance: self.instance, jobs: None, after: None, limit }
    }

    pub(crate) async fn due(&self) -> Vec<DueExecution> {
        self.store.due(&self.due_request(100)).await.expect("the store answers")
    }

    /// The ids of the rows that are due.
    pub(crate) async fn due_ids(&self) -> Vec<ExecutionId> {
        self.due().await.into_iter().map(|due| due.execution_id).collect()
    }

    /// A request to take this row.
    pub(crate) fn take(&self, execution_id: ExecutionId) -> TakeRequest {
        TakeRequest {
            execution_id,
            claim_id: ClaimId::random(),
            holds_key: true,
            at_once: None,
            rerun_on_crash: false,
            lease: LEASE,
            instance: self.instance,
            every_instance: false,
        }
    }

    pub(crate) async fn try_take(&self, request: &TakeRequest) -> TakeOutcome {
        let mut outcomes = self.store.take(std::slice::from_ref(request)).await.expect("the store answers");
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    /// Takes what must be granted.
    pub(crate) async fn taken(&self, request: &TakeRequest) -> (Grant, Execution) {
        match self.try_take(request).await {
            TakeOutcome::Granted { grant, execution } => (grant, *execution),
            TakeOutcome::Refused(refusal) => panic!("expected a grant, got {refusal:?}"),
        }
    }

    pub(crate) async fn renew(&self, grant: Grant, lease: Duration) -> Option<RenewedLease> {
        let held = HeldLease { execution_id: grant.execution_id, fence: grant.fence, lease };
        let mut renewed = self.store.renew(&[held]).await.expect("the store answers");
        assert!(renewed.len() <= 1);
        renewed.pop()
    }

    pub(crate) async fn try_finish(&self, finish: &Finish) -> FinishOutcome {
        let outcomes = self.store.finish(std::slice::from_ref(finish)).await.expect("the store answers");
        assert_eq!(outcomes.len(), 1);
        outcomes[0]
    }

    /// Finishes what must be finished on time; answers the attempt that follows.
    pub(crate) async fn finished(&self, finish: &Finish) -> Option<ExecutionId> {
        match self.try_finish(finish).await {
            FinishOutcome::Finished { status, late: false, next } => {
                assert_eq!(status, finish.status);
                next
            }
            other => panic!("expected it finished, got {other:?}"),
        }
    }

    /// Fails a run, and lets an attempt follow.
    pub(crate) async fn retried(&self, grant: Grant, after: Duration) -> ExecutionId {
        let next = self.finished(&followed(&finish(grant, Status::Failed), after)).await;
        next.expect("an attempt follows")
    }

    pub(crate) async fn recover(&self) -> Vec<Recovered> {
        let request = RecoverRequest { instance: self.instance, healthy_for: LEASE, limit: 100 };
        self.store.recover(&request).await.expect("the store answers")
    }

    /// Lets a run's lease expire, and recovers it.
    pub(crate) async fn recovered(&self, grant: Grant) -> Recovered {
        self.harness.expire_lease(grant.execution_id).await;
        let mut recovered = self.recover().await;
        assert_eq!(recovered.len(), 1, "{recovered:?}");
        assert_eq!(recovered[0].execution_id, grant.execution_id);
        recovered.remove(0)
    }

    /// Asks for an execution to be stopped.
    pub(crate) async fn cancel(&self, execution_id: ExecutionId) -> CancelOutcome {
        let request = CancelRequest { execution_id, actor: Actor::new("ayu").because("a mistake") };
        self.store.cancel(&request).await.expect("the store answers")
    }

    pub(crate) async fn pause(&self) {
        let at = self.now().await;
        let pause = Pause { at, by: Some("operator".to_owned()), reason: Some("maintenance".to_owned()), until: None };
        self.harness.set_pause(&self.job, Some(pause)).await;
    }

    pub(crate) async fn resume(&self) {
        self.harness.set_pause(&self.job, None).await;
    }

    /// A manual request under this idempotency key.
    pub(crate) fn manual(&self, key: &str, overlap: OverlapPolicy) -> ManualRequest {
        ManualRequest {
            job_id: self.job.clone(),
            occurrence: OccurrenceKey::manual(key),
            request_hash: Some(format!("hash of {key}")),
            max_attempts: 2,
            overlap,
            actor: Some(Actor::new("operator").because("it was late")),
            params: Some(json!({"date": "2026-11-24"})),
            trace_context: Some(trace_context()),
        }
    }

    pub(crate) async fn request(&self, request: &ManualRequest) -> ManualOutcome {
        self.store.request(request).await.expect("the store answers")
    }

    /// Requests what must be accepted.
    pub(crate) async fn accepted(&self, request: &ManualRequest) -> Execution {
        match self.request(request).await {
            ManualOutcome::Accepted(execution) => *execution,
            other => panic!("expected it accepted, got {other:?}"),
        }
    }
}

/// The trace that requests belong to.
pub(crate) fn trace_context() -> TraceContext {
    let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("well-formed");
    trace.with_tracestate("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
}

pub(crate) fn job(name: &str) -> JobId {
    JobId::parse(name).expect("valid")
}

pub(crate) fn announcement(job: &JobId, fingerprint: &str) -> Announcement {
    Announcement {
        job_id: job.clone(),
        fingerprint: fingerprint.to_owned(),
        trigger: "* * * * * Asia/Jakarta".to_owned(),
        zone: Some("Asia/Jakarta".to_owned()),
        zone_data: Some("2026a".to_owned()),
        policies: json!({"overlap": "skip"}),
        enabled: true,
    }
}

/// Decides nothing.
#[derive(Debug)]
pub(crate) struct Idle;

impl Planner for Idle {
    fn plan(&self, _: &DecideView) -> DecisionPlan {
        DecisionPlan::default()
    }
}

/// What an instance that was healthy for a whole lease tells.
pub(crate) fn told(instance: InstanceId, jobs: &[Announcement]) -> AnnounceRequest {
    AnnounceRequest { instance, jobs: jobs.to_vec(), lease: LEASE, may_roll_back: true }
}

/// An announcement at which nothing that is owed is decided.
pub(crate) async fn announce(store: &dyn Store, instance: InstanceId, announcement: &Announcement) -> Announced {
    let answer = store.announce(&told(instance, std::slice::from_ref(announcement)), &Idle).await;
    let mut announced = answer.expect("the store answers");
    assert_eq!(announced.len(), 1);
    announced.remove(0)
}

/// A heartbeat of this instance; the store's clock.
pub(crate) async fn beat(store: &dyn Store, instance: InstanceId) -> DateTime<Utc> {
    store.heartbeat(&heartbeat(instance)).await.expect("the store answers")
}

pub(crate) fn heartbeat(instance: InstanceId) -> Heartbeat {
    Heartbeat { instance, host: "host".to_owned(), pid: 42, version: "1.2.3".to_owned(), clock_offset_ms: -7 }
}

/// An outcome that nothing follows.
pub(crate) fn finish(grant: Grant, status: Status) -> Finish {
    Finish {
        execution_id: grant.execution_id,
        fence: grant.fence,
        status,
        reason: None,
        message: Some(format!("it {status}")),
        error_trace: None,
        result_data: None,
        next: None,
    }
}

/// The same outcome, and an attempt that follows, holding the key.
pub(crate) fn followed(finish: &Finish, after: Duration) -> Finish {
    Finish { next: Some(NextAttempt { after, holds_key: true }), ..finish.clone() }
}
