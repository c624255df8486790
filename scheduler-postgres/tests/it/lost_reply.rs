//! Connections that end in the middle of something (R8).

use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::{
    identity::{ClaimId, InstanceId, JobId},
    job::OverlapPolicy,
    occurrence::OccurrenceKey,
    store::{
        AnnounceRequest, Announcement, Claim, ClaimOutcome, ControlStore as _, DecideRequest, DecideView, Deciding,
        DecisionPlan, ExecutionStore as _, LostClaim, Planner, Refusal, StoreError,
    },
};
use scheduler_postgres::PostgresStore;
use tokio_postgres::Client;

use crate::server::Schema;

/// A job that was just announced, and a claim of an occurrence of it that is due.
pub(crate) async fn claim(store: &PostgresStore, client: &Client, job: &str) -> Claim {
    let job_id = JobId::parse(job).expect("valid");
    let instance = InstanceId::random();
    let announcement = Announcement {
        job_id: job_id.clone(),
        fingerprint: "first".to_owned(),
        trigger: "every 1s".to_owned(),
        zone: None,
        zone_data: None,
        policies: serde_json::json!({}),
        enabled: true,
    };
    let request =
        AnnounceRequest { instance, jobs: vec![announcement], lease: Duration::from_secs(30), may_roll_back: false };
    let announced = store.announce(&request, &DecideAll).await.expect("announced");
    // An hour owed, so that occurrences lie in the past.
    client
        .execute("UPDATE job_states SET watermark = watermark - interval '1 hour' WHERE job_id = $1", &[&job])
        .await
        .expect("the watermark is set");
    let at: DateTime<Utc> = announced[0].state.watermark - Duration::from_secs(60);
    Claim {
        claim_id: ClaimId::random(),
        job_id,
        revision: announced[0].state.revision,
        occurrence: OccurrenceKey::scheduled(at),
        scheduled_at: at,
        not_before: at,
        deadline: at + Duration::from_secs(3_600),
        max_attempts: 3,
        overlap: OverlapPolicy::Skip,
        rerun_on_crash: false,
        lease: Duration::from_secs(30),
        instance,
        every_instance: false,
    }
}

/// Waits until a backend of this schema's store waits for a lock, and answers its pid.
async fn waiting_backend(client: &Client, schema: &str) -> i32 {
    let sql = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
    loop {
        if let Some(row) = client.query_opt(sql, &[&schema]).await.expect("the server answers") {
            return row.get(0);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_killed_in_a_claim_leaves_it_unknown_and_find_claim_settles_it() {
    let schema = Schema::new();
    let (store, client) = (schema.store().await, schema.client().await);
    let claim = claim(&store, &client, "killed").await;
    let mut other = schema.client().await;
    let lock = other.transaction().await.expect("a transaction");
    lock.execute("SELECT FROM job_states FOR UPDATE", &[]).await.expect("the job's state is locked");
    let asking = tokio::spawn({
        let (store, claim) = (store.clone(), claim.clone());
        async move { store.claim(&[claim]).await }
    });
    let pid = waiting_backend(&client, &schema.name).await;
    client.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.expect("the backend is told to end");
    let error = asking.await.expect("no panic").expect_err("the answer is lost");
    assert!(matches!(error, StoreError::Unknown { .. }), "{error:?}");
    drop(lock);
    assert_eq!(store.find_claim(&LostClaim::of(&claim)).await.expect("the pool has made a new connection"), None);
    let outcomes = store.claim(std::slice::from_ref(&claim)).await.expect("the claim is repeated");
    let [ClaimOutcome::Granted(grant)] = outcomes[..] else { panic!("expected a grant, got {outcomes:?}") };
    let found = store.find_claim(&LostClaim::of(&claim)).await.expect("the store answers").expect("it is there");
    assert_eq!(found.grant, grant);
}

/// Moves the watermark to the end of the view.
#[derive(Debug)]
struct DecideAll;

impl Planner for DecideAll {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        DecisionPlan { watermark: Some(view.until), ..DecisionPlan::default() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_a_pass_finds_its_occurrence_decided() {
    let schema = Schema::new();
    let (store, client) = (schema.store().await, schema.client().await);
    let claim = claim(&store, &client, "raced").await;
    let mut other = schema.client().await;
    let pass = other.transaction().await.expect("a transaction");
    pass.execute("SELECT FROM job_states FOR UPDATE", &[]).await.expect("the pass locks it");
    pass.execute("UPDATE job_states SET watermark = clock_timestamp()", &[]).await.expect("the pass moves it");
    let asking = tokio::spawn({
        let (store, claim) = (store.clone(), claim.clone());
        async move { store.claim(&[claim]).await }
    });
    waiting_backend(&client, &schema.name).await;
    let request = DecideRequest {
        job_id: claim.job_id.clone(),
        revision: claim.revision,
        instance: claim.instance,
        lag: Duration::from_secs(2),
        limit: 100,
    };
    let passes = [Deciding { request, planner: &DecideAll }];
    let second = store.decide(&passes).await.expect("the store answers").remove(0);
    assert!(second.is_none(), "another instance has the job locked");
    pass.commit().await.expect("the pass commits");
    let outcomes = asking.await.expect("no panic").expect("the store answers");
    assert_eq!(outcomes, [ClaimOutcome::Refused(Refusal::Passed)]);
}

/// A watermark that follows rows which are there decides nothing that a claim asks for.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_waits_for_no_watermark_that_follows_its_rows() {
    let schema = Schema::new();
    let (store, client) = (schema.store().await, schema.client().await);
    let claim = claim(&store, &client, "beside").await;
    let mut other = schema.client().await;
    let moving = other.transaction().await.expect("a transaction");
    let earlier = "UPDATE job_states SET watermark = watermark + interval '1 microsecond'";
    moving.execute(earlier, &[]).await.expect("another instance moves it");
    let outcomes = store.claim(&[claim]).await.expect("the store answers");
    assert!(matches!(outcomes[..], [ClaimOutcome::Granted(_)]), "{outcomes:?}");
    moving.commit().await.expect("it commits");
}

/// R1: a number that was drawn before another's run began and ended is drawn again.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_another_run_overtook_while_it_waited_for_its_key_draws_again() {
    let schema = Schema::new();
    let (store, client) = (schema.store().await, schema.client().await);
    let claim = claim(&store, &client, "overtaken").await;
    let mut other = schema.client().await;
    let run = other.transaction().await.expect("a transaction");
    let holder = "INSERT INTO job_executions
                      (job_id, occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before, holds_key)
                  VALUES ('overtaken', 'm:other', 1, 1, 'manual', 'running', now(), now(), true)";
    run.batch_execute(holder).await.expect("another run holds the key, which nobody sees yet");
    let asking = tokio::spawn({
        let (store, claim) = (store.clone(), claim.clone());
        async move { store.claim(&[claim]).await }
    });
    waiting_backend(&client, &schema.name).await;
    let over = "UPDATE job_executions
                SET fence = nextval('execution_fences'), status = 'succeeded', success = true, holds_key = false,
                    finished_at = clock_timestamp()
                WHERE occurrence = 'm:other' RETURNING fence";
    let highest: i64 = run.query_one(over, &[]).await.expect("it ran, and is over").get(0);
    run.commit().await.expect("committed");
    let outcomes = asking.await.expect("no panic").expect("the key is free");
    let [ClaimOutcome::Granted(grant)] = outcomes[..] else { panic!("expected a grant, got {outcomes:?}") };
    assert!(grant.fence.0 > highest, "{grant:?} is not above {highest}");
    let kept = "SELECT e.fence, l.fence FROM job_executions AS e JOIN execution_leases AS l ON l.execution_id = e.id
                WHERE e.id = $1";
    let kept = client.query_one(kept, &[&grant.execution_id.0]).await.expect("its row and its lease");
    assert_eq!((kept.get::<_, i64>(0), kept.get::<_, i64>(1)), (grant.fence.0, grant.fence.0));
}
