//! What operators ask for while something else holds a lock.

use std::time::Duration;

use scheduler_core::store::{
    Actor, CancelOutcome, CancelRequest, ClaimOutcome, ExecutionStore as _, OperatorStore as _,
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
