//! What operators ask for while something else holds a lock.

use std::time::Duration;

use scheduler_core::{
    identity::ClaimId,
    job::OverlapPolicy,
    occurrence::OccurrenceKey,
    store::{
        Actor, CancelOutcome, CancelRequest, Claim, ClaimOutcome, ExecutionStore as _, HistoryStore as _,
        OperatorStore as _, PruneRequest, Pruned,
    },
};

use crate::{lost_reply, server::Schema};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_guards_its_row_in_a_transaction_is_asked_to_stop_at_once() {
    let schema = Schema::new();
    let (store, client) = (schema.store().await, schema.client().await);
    let claim = lost_reply::claim(&store, &client, "guarded").await;
    let outcomes = store.claim(&[claim]).await.expect("the store answers");
    let [ClaimOutcome::Granted(grant)] = outcomes[..] else { panic!("expected a grant, got {outcomes:?}") };
    let mut other = schema.client().await;
    let guard = other.transaction().await.expect("a transaction");
    let sql = "SELECT FROM job_executions WHERE id = $1 FOR SHARE";
    guard.query_one(sql, &[&grant.execution_id.0]).await.expect("the row is guarded");
    let request = CancelRequest { execution_id: grant.execution_id, actor: Actor::new("ayu") };
    let cancelled = tokio::time::timeout(Duration::from_secs(20), store.cancel(&request)).await;
    assert_eq!(cancelled.expect("it does not wait").expect("the store answers"), CancelOutcome::Asked);
    guard.commit().await.expect("the guard commits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_has_locked_is_not_pruned() {
    let schema = Schema::new();
    let (store, client) = (schema.store().await, schema.client().await);
    let first = Claim { overlap: OverlapPolicy::Allow, ..lost_reply::claim(&store, &client, "retried").await };
    let at = first.scheduled_at + Duration::from_secs(1);
    let second = Claim {
        claim_id: ClaimId::random(),
        occurrence: OccurrenceKey::scheduled(at),
        scheduled_at: at,
        not_before: at,
        ..first.clone()
    };
    let outcomes = store.claim(&[first, second]).await.expect("the store answers");
    let [ClaimOutcome::Granted(locked), ClaimOutcome::Granted(_)] = outcomes[..] else { panic!("{outcomes:?}") };
    client
        .batch_execute(
            "UPDATE job_executions SET status = 'failed', holds_key = false;
             UPDATE job_states SET watermark = clock_timestamp()",
        )
        .await
        .expect("both have failed");
    let mut other = schema.client().await;
    let retry = other.transaction().await.expect("a transaction");
    let sql = "SELECT FROM job_executions WHERE id = $1 FOR NO KEY UPDATE";
    retry.query_one(sql, &[&locked.execution_id.0]).await.expect("a retry has the row locked");
    let request = PruneRequest { job_id: None, before: at + Duration::from_secs(3_600), limit: 10 };
    assert_eq!(store.prune(&request).await.expect("the store answers"), Pruned::new(1, false));
    retry.rollback().await.expect("the retry ends");
    assert!(store.execution(locked.execution_id).await.expect("the store answers").is_some());
    assert_eq!(store.prune(&request).await.expect("the store answers"), Pruned::new(1, false));
}
