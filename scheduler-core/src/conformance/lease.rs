//! Leases kept, and runs asked to stop (R3).

use std::time::Duration;

use super::scene::{LEASE, Scene, finish, followed};
use crate::{
    conformance::StoreHarness,
    identity::{ExecutionId, FencingToken},
    status::{Reason, Status},
    store::{CancelOutcome, FinishOutcome, Grant, HeldLease},
};

/// A lease short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

fn held(grant: Grant) -> HeldLease {
    HeldLease { execution_id: grant.execution_id, fence: grant.fence, lease: LEASE }
}

pub async fn a_renewal_keeps_a_run_from_recovery(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let mut claim = scene.claim(1);
    claim.lease = SHORT;
    let grant = scene.granted(&claim).await;
    let renewed = scene.renew(grant, LEASE).await.expect("the lease is there");
    assert_eq!((renewed.execution_id, renewed.fence), (grant.execution_id, grant.fence));
    assert!(!renewed.cancel_requested);
    harness.pass(SHORT).await;
    assert!(scene.recover().await.is_empty());
}

pub async fn a_renewal_counts_from_now(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    // Shorter than what was left: it is from now, not added.
    assert!(scene.renew(grant, SHORT).await.is_some());
    harness.pass(SHORT).await;
    assert_eq!(scene.recover().await.len(), 1);
}

pub async fn an_expired_lease_that_still_exists_is_renewed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    harness.expire_lease(grant.execution_id).await;
    assert!(scene.renew(grant, LEASE).await.is_some());
    assert!(scene.recover().await.is_empty());
}

pub async fn a_stale_holder_can_neither_renew_nor_release(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let mut claim = scene.claim(1);
    claim.rerun_on_crash = true;
    let stale = scene.granted(&claim).await;
    let next = scene.recovered(stale).await.next.expect("it runs again");
    let (owner, _) = scene.taken(&scene.take(next)).await;
    assert_eq!(scene.renew(stale, LEASE).await, None);
    assert_eq!(scene.try_finish(&finish(stale, Status::Succeeded)).await, FinishOutcome::Fenced);
    assert!(scene.renew(owner, LEASE).await.is_some());
    assert_eq!(scene.row(owner.execution_id).await.status, Status::Running);
    assert_eq!(scene.row(stale.execution_id).await.status, Status::Abandoned);
}

pub async fn a_renewal_names_its_fence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    for fence in [grant.fence.0 - 1, grant.fence.0 + 1] {
        assert_eq!(scene.renew(Grant { fence: FencingToken(fence), ..grant }, LEASE).await, None);
    }
}

/// R4: what a renewal does not return is lost.
pub async fn a_recovered_lease_is_lost(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.recovered(grant).await;
    assert_eq!(scene.renew(grant, LEASE).await, None);
}

pub async fn a_finished_lease_is_gone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(scene.renew(grant, LEASE).await, None);
    assert!(scene.recover().await.is_empty());
}

pub async fn what_is_lost_is_left_out_of_a_batch_of_renewals(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (beside, gone) = (scene.beside("beside").await, scene.beside("gone").await);
    let first = scene.granted(&scene.claim(1)).await;
    let second = beside.granted(&beside.claim(1)).await;
    let lost = gone.granted(&gone.claim(1)).await;
    gone.finished(&finish(lost, Status::Succeeded)).await;
    let unknown = HeldLease { execution_id: ExecutionId(i64::MAX), ..held(first) };
    let batch = [held(lost), held(second), unknown, held(first)];
    let mut renewed: Vec<_> =
        scene.store.renew(&batch).await.expect("the store answers").iter().map(|lease| lease.execution_id).collect();
    renewed.sort();
    assert_eq!(renewed, [first.execution_id, second.execution_id]);
    assert_eq!(scene.store.renew(&[]).await.expect("the store answers"), []);
}

pub async fn a_renewal_names_its_leases_and_leaves_the_others(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let renewed = scene.granted(&scene.claim(1)).await;
    let forgotten = beside.granted(&beside.claim(1)).await;
    harness.expire_lease(renewed.execution_id).await;
    harness.expire_lease(forgotten.execution_id).await;
    assert!(scene.renew(renewed, LEASE).await.is_some());
    let recovered = scene.recover().await;
    assert_eq!(recovered.len(), 1, "{recovered:?}");
    assert_eq!(recovered[0].execution_id, forgotten.execution_id);
}

pub async fn a_cancel_request_comes_with_the_renewal(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert_eq!(scene.cancel(grant.execution_id).await, CancelOutcome::Asked);
    for _ in 0..2 {
        assert!(scene.renew(grant, LEASE).await.expect("the lease is there").cancel_requested, "at every renewal");
    }
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Running, "it is asked, not ended");
}

pub async fn a_cancel_request_is_of_one_run(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let (asked, other) = (scene.granted(&scene.claim(1)).await, beside.granted(&beside.claim(1)).await);
    assert_eq!(scene.cancel(asked.execution_id).await, CancelOutcome::Asked);
    assert!(!scene.renew(other, LEASE).await.expect("the lease is there").cancel_requested);
}

pub async fn what_has_ended_is_not_asked_to_stop(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    assert_eq!(scene.cancel(ExecutionId(i64::MAX)).await, CancelOutcome::Unknown);
    let grant = scene.granted(&scene.claim(1)).await;
    let retry = scene.retried(grant, Duration::ZERO).await;
    assert_eq!(scene.cancel(grant.execution_id).await, CancelOutcome::Ended(Status::Failed));
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Failed);
    let (again, _) = scene.taken(&scene.take(retry)).await;
    assert!(!scene.renew(again, LEASE).await.expect("the lease is there").cancel_requested);
}

pub async fn a_cancelled_run_ends_cancelled_and_earns_no_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for (millis, status) in [(1, Status::Failed), (2, Status::TimedOut), (3, Status::Cancelled)] {
        let grant = scene.granted(&scene.claim(millis)).await;
        assert_eq!(scene.cancel(grant.execution_id).await, CancelOutcome::Asked);
        let outcome = followed(&finish(grant, status), Duration::ZERO);
        let cancelled = FinishOutcome::Finished { status: Status::Cancelled, late: false, next: None };
        assert_eq!(scene.try_finish(&outcome).await, cancelled);
        let row = scene.row(grant.execution_id).await;
        assert_eq!((row.status, row.reason), (Status::Cancelled, Some(Reason::ByRequest)));
        assert_eq!(row.message, outcome.message);
        assert!(scene.due().await.is_empty());
        assert_eq!(scene.try_finish(&outcome).await, cancelled, "a repetition after a lost reply");
    }
}

pub async fn a_cancelled_run_that_succeeded_has_succeeded(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert_eq!(scene.cancel(grant.execution_id).await, CancelOutcome::Asked);
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Succeeded);
}
