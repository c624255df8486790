use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::MemoryStore;
use crate::{
    clock::{Clock as _, ManualClock},
    conformance::StoreHarness,
    duty::plan::{Purpose, StoredPlanner},
    identity::{ClaimId, ExecutionId, InstanceId, JobId, RevisionId},
    job::OverlapPolicy,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::{
        Actor, AnnounceRequest, Announcement, BackfillAnswer, BackfillRefusal, BackfillRequest, Claim, ClaimOutcome,
        ControlStore as _, ExecutionFilter, ExecutionQuery, ExecutionStore as _, Finish, FinishOutcome, Grant,
        HistoryStore as _, NextAttempt, OperatorStore as _, PageStart, Pause, PauseRequest, Refusal, ResumeOutcome,
        ResumeRequest, Store,
    },
};

crate::store_conformance!(harness);
crate::queue_conformance!(harness);

struct Harness {
    store: Arc<MemoryStore>,
    clock: ManualClock,
}

async fn harness() -> Harness {
    let clock = ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"));
    Harness { store: Arc::new(MemoryStore::new().with_clock(Arc::new(clock.clone()))), clock }
}

#[async_trait]
impl StoreHarness for Harness {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn expire_lease(&self, execution: ExecutionId) {
        self.store.expire_lease(execution);
    }

    async fn set_pause(&self, job: &JobId, pause: Option<Pause>) {
        self.store.set_pause(job, pause);
    }
}

/// A store that keeps this many final rows, and an announced job.
async fn limited(rows: usize) -> (MemoryStore, ManualClock, RevisionId) {
    let clock = ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"));
    let store = MemoryStore::new().with_clock(Arc::new(clock.clone())).with_history_limit(rows);
    let announcement = Announcement {
        job_id: job(),
        fingerprint: "first".to_owned(),
        trigger: "* * * * * * UTC".to_owned(),
        zone: None,
        zone_data: None,
        policies: serde_json::Value::Null,
        enabled: true,
    };
    let request = AnnounceRequest {
        instance: InstanceId::random(),
        jobs: vec![announcement],
        lease: Duration::from_secs(30),
        may_roll_back: false,
    };
    let announced = store.announce(&request, &planner(Purpose::Switch)).await;
    clock.advance(Duration::from_secs(100));
    (store, clock, announced.expect("in memory")[0].state.revision)
}

fn planner(purpose: Purpose) -> StoredPlanner {
    StoredPlanner { purpose, instance: InstanceId::random(), own: None, elsewhere: std::collections::HashMap::new() }
}

fn job() -> JobId {
    JobId::parse("every-second").expect("valid")
}

/// A claim of the occurrence this many seconds after the job was announced.
fn claim(clock: &ManualClock, revision: RevisionId, seconds: i64) -> Claim {
    let at: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("in range");
    Claim {
        claim_id: ClaimId::random(),
        job_id: job(),
        revision,
        occurrence: OccurrenceKey::scheduled(at),
        scheduled_at: at,
        not_before: at,
        deadline: clock.now() + TimeDelta::seconds(60),
        max_attempts: 3,
        overlap: OverlapPolicy::Allow,
        rerun_on_crash: true,
        lease: Duration::from_secs(30),
        instance: InstanceId::random(),
        every_instance: false,
    }
}

async fn granted(store: &MemoryStore, claim: &Claim) -> Grant {
    match store.claim(std::slice::from_ref(claim)).await.expect("in memory")[0] {
        ClaimOutcome::Granted(grant) => grant,
        ref other => panic!("expected a grant, got {other:?}"),
    }
}

async fn finish(store: &MemoryStore, grant: Grant, next: Option<NextAttempt>) -> FinishOutcome {
    let finish = Finish {
        execution_id: grant.execution_id,
        fence: grant.fence,
        status: if next.is_some() { Status::Failed } else { Status::Succeeded },
        reason: None,
        message: None,
        error_trace: None,
        result_data: None,
        next,
    };
    store.finish(&[finish]).await.expect("in memory")[0]
}

async fn history(store: &MemoryStore) -> Vec<ExecutionId> {
    let query = ExecutionQuery {
        filter: ExecutionFilter::default(),
        start: PageStart::Offset(0),
        limit: usize::MAX,
        count: false,
    };
    store.executions(&query).await.expect("in memory").executions.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn the_oldest_final_rows_are_dropped_beyond_the_limit() {
    let (store, clock, revision) = limited(3).await;
    let running = granted(&store, &claim(&clock, revision, 1)).await;
    let mut ended = Vec::new();
    for seconds in 2..=6 {
        let grant = granted(&store, &claim(&clock, revision, seconds)).await;
        finish(&store, grant, None).await;
        ended.insert(0, grant.execution_id);
    }
    assert_eq!(history(&store).await, [&ended[..3], &[running.execution_id]].concat(), "what runs stays");
    assert_eq!(store.execution(ended[4]).await.expect("in memory"), None);
    let latest = store.latest(&[job()]).await.expect("in memory");
    assert_eq!(latest[0].id, ended[0]);
}

#[tokio::test]
async fn a_dropped_row_s_occurrence_can_not_be_claimed_again() {
    let (store, clock, revision) = limited(1).await;
    for seconds in 1..=5 {
        let grant = granted(&store, &claim(&clock, revision, seconds)).await;
        finish(&store, grant, None).await;
    }
    assert_eq!(history(&store).await.len(), 1);
    for seconds in 1..=5 {
        let outcome = store.claim(&[claim(&clock, revision, seconds)]).await.expect("in memory");
        assert_eq!(outcome, [ClaimOutcome::Refused(Refusal::AlreadyDecided)], "{seconds}");
    }
}

#[tokio::test]
async fn a_dropped_row_s_occurrence_can_not_be_backfilled() {
    let (store, clock, revision) = limited(1).await;
    for seconds in 1..=3 {
        let grant = granted(&store, &claim(&clock, revision, seconds)).await;
        finish(&store, grant, None).await;
    }
    let at = |seconds| claim(&clock, revision, seconds).scheduled_at;
    let request = BackfillRequest {
        job_id: job(),
        occurrences: vec![at(1), at(2), at(3)],
        retries: 0,
        dry_run: false,
        actor: Actor::new("ayu"),
    };
    let answers = store.backfill(&request).await.expect("in memory").expect("it is known");
    assert_eq!(answers[..2], [BackfillAnswer::Refused(BackfillRefusal::Pruned); 2]);
    let has_run = BackfillRefusal::HasRun { execution_id: history(&store).await[0], status: Status::Succeeded };
    assert_eq!(answers[2], BackfillAnswer::Refused(has_run));
}

#[tokio::test]
async fn a_row_whose_next_attempt_waits_is_kept() {
    let (store, clock, revision) = limited(0).await;
    let grant = granted(&store, &claim(&clock, revision, 1)).await;
    let next = NextAttempt { after: Duration::ZERO, holds_key: false };
    let FinishOutcome::Finished { next: Some(next), .. } = finish(&store, grant, Some(next)).await else {
        panic!("no attempt follows")
    };
    let other = granted(&store, &claim(&clock, revision, 2)).await;
    finish(&store, other, None).await;
    assert_eq!(history(&store).await, [next, grant.execution_id]);
    assert_eq!(store.execution(next).await.expect("in memory").expect("it waits").attempt, 2);
}

#[tokio::test]
async fn a_lost_run_is_followed_even_where_no_history_is_kept() {
    let (store, clock, revision) = limited(0).await;
    let grant = granted(&store, &claim(&clock, revision, 1)).await;
    store.expire_lease(grant.execution_id);
    let request = crate::store::RecoverRequest {
        instance: InstanceId::random(),
        healthy_for: Duration::from_secs(30),
        limit: 10,
    };
    let recovered = store.recover(&request).await.expect("in memory");
    let next = recovered[0].next.expect("it runs again");
    assert_eq!(store.execution(next).await.expect("in memory").expect("it waits").attempt, 2);
}

#[tokio::test]
async fn a_shared_store_is_declared_and_shared_by_its_clones() {
    let (store, clock, revision) = limited(10).await;
    assert!(!store.capabilities().shared && store.clone().declared_shared().capabilities().shared);
    let clone = store.clone();
    granted(&store, &claim(&clock, revision, 1)).await;
    let outcome = clone.claim(&[claim(&clock, revision, 1)]).await.expect("in memory");
    assert_eq!(outcome, [ClaimOutcome::Refused(Refusal::AlreadyDecided)]);
}

#[tokio::test]
async fn a_pause_longer_than_a_pass_is_one_row() {
    let (store, clock, _) = limited(100).await;
    let pause = PauseRequest { job_id: job(), actor: Actor::new("ayu"), until: None };
    store.pause(&pause, &planner(Purpose::Pause)).await.expect("in memory");
    clock.advance(Duration::from_secs(25_000));
    let resume = ResumeRequest { job_id: job(), actor: Actor::new("ayu") };
    let outcome = store.resume(&resume, &planner(Purpose::Resume)).await.expect("in memory");
    let ResumeOutcome::Resumed { state, decided } = outcome else { panic!("{outcome:?}") };
    assert_eq!((decided.skipped, state.watermark), (25_000, clock.now()));
    let mut of_the_pause = Vec::new();
    for id in history(&store).await {
        let row = store.execution(id).await.expect("in memory").expect("it is there");
        of_the_pause.extend((row.reason == Some(Reason::Paused)).then_some(row.missed_count));
    }
    assert_eq!(of_the_pause, [Some(25_000)]);
}
