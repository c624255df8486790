//! Runs whose instance was lost (R6).

use std::time::Duration;

use super::scene::{LEASE, Scene, finish};
use crate::{
    conformance::StoreHarness,
    identity::InstanceId,
    job::OverlapPolicy,
    occurrence::Origin,
    status::Status,
    store::{CancelOutcome, Claim, ClaimOutcome, RecoverRequest, TakeRequest},
};

pub async fn a_run_whose_lease_expired_is_abandoned(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let recovered = scene.recovered(grant).await;
    assert_eq!((&recovered.job_id, recovered.attempt), (&scene.job, 1));
    assert_eq!(recovered.occurrence, scene.claim(1).occurrence);
    assert_eq!((recovered.instance, recovered.next), (Some(scene.instance), None));
    let row = scene.row(grant.execution_id).await;
    assert_eq!((row.status, row.holds_key, row.late), (Status::Abandoned, false, false));
    assert!(row.finished_at.is_some());
    assert_eq!((row.fence, row.instance), (Some(grant.fence), Some(scene.instance)), "who ran it stays known");
}

pub async fn a_run_whose_lease_lives_is_left(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let alive = scene.granted(&scene.claim(1)).await;
    let lost = beside.granted(&beside.claim(1)).await;
    beside.recovered(lost).await;
    assert_eq!(scene.row(alive.execution_id).await.status, Status::Running);
    assert!(scene.renew(alive, LEASE).await.is_some());
}

pub async fn a_lease_expires_with_time_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let lease = Duration::from_millis(300);
    let grant = scene.granted(&Claim { lease, ..scene.claim(1) }).await;
    harness.pass(lease).await;
    let recovered = scene.recover().await;
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].execution_id, grant.execution_id);
}

pub async fn a_lease_longer_than_its_looker_was_healthy_is_left_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let longer = scene.granted(&Claim { lease: LEASE * 2, ..scene.claim(1) }).await;
    harness.expire_lease(longer.execution_id).await;
    assert!(scene.recover().await.is_empty(), "it may have been this instance that was silent for so long");
    let request = RecoverRequest { instance: scene.instance, healthy_for: LEASE * 2, limit: 100 };
    assert_eq!(scene.store.recover(&request).await.expect("the store answers").len(), 1);
}

pub async fn a_run_is_recovered_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { rerun_on_crash: true, ..scene.claim(1) }).await;
    scene.recovered(grant).await;
    assert!(scene.recover().await.is_empty());
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").attempt, 2);
}

pub async fn of_ten_who_recover_one_abandons_a_run(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { rerun_on_crash: true, ..scene.claim(1) }).await;
    harness.expire_lease(grant.execution_id).await;
    let lookers = (0..10).map(|_| {
        let store = scene.store.attach();
        let request = RecoverRequest { instance: InstanceId::random(), healthy_for: LEASE, limit: 100 };
        tokio::spawn(async move { store.recover(&request).await })
    });
    let mut recovered = Vec::new();
    for looker in lookers.collect::<Vec<_>>() {
        recovered.extend(looker.await.expect("no panic").expect("the store answers"));
    }
    assert_eq!(recovered.len(), 1, "{recovered:?}");
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").attempt, 2);
}

pub async fn a_lost_run_is_followed_where_its_lease_says_so(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { rerun_on_crash: true, ..scene.claim(1) }).await;
    let next = scene.recovered(grant).await.next.expect("it runs again");
    let row = scene.row(next).await;
    assert_eq!((row.status, row.attempt, row.max_attempts), (Status::Pending, 2, 3));
    assert_eq!((row.origin, row.scheduled_at), (Origin::Schedule, scene.at(1)));
    assert!(row.holds_key && !row.queued, "it goes on with its occurrence before any other begins");
    assert!(matches!(scene.try_claim(&scene.claim(2)).await, ClaimOutcome::Skipped { .. }));
    assert_eq!(scene.due_ids().await, [next], "at once");
    let (again, _) = scene.taken(&scene.take(next)).await;
    assert!(again.fence > grant.fence);
}

pub async fn a_lost_run_that_held_nothing_is_followed_by_one_that_holds_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = Claim { overlap: OverlapPolicy::Allow, rerun_on_crash: true, ..scene.claim(1) };
    let grant = scene.granted(&claim).await;
    let next = scene.recovered(grant).await.next.expect("it runs again");
    assert!(!scene.row(next).await.holds_key);
}

pub async fn the_last_attempt_is_not_followed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { rerun_on_crash: true, max_attempts: 2, ..scene.claim(1) }).await;
    let next = scene.recovered(grant).await.next.expect("one attempt is left");
    let (again, _) = scene.taken(&TakeRequest { rerun_on_crash: true, ..scene.take(next) }).await;
    let recovered = scene.recovered(again).await;
    assert_eq!((recovered.attempt, recovered.next), (2, None));
    scene.granted(&scene.claim(2)).await;
}

pub async fn a_taken_run_is_recovered_as_its_take_says(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let first = scene.granted(&Claim { rerun_on_crash: true, ..scene.claim(1) }).await;
    let next = scene.recovered(first).await.next.expect("it runs again");
    let (again, _) = scene.taken(&TakeRequest { rerun_on_crash: false, ..scene.take(next) }).await;
    assert_eq!(scene.recovered(again).await.next, None);
}

pub async fn a_cancelled_run_that_is_lost_earns_no_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { rerun_on_crash: true, ..scene.claim(1) }).await;
    assert_eq!(scene.cancel(grant.execution_id).await, CancelOutcome::Asked);
    assert_eq!(scene.recovered(grant).await.next, None);
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Abandoned);
    assert!(scene.due().await.is_empty());
}

pub async fn a_finished_run_is_not_recovered(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { rerun_on_crash: true, ..scene.claim(1) }).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    harness.expire_lease(grant.execution_id).await;
    assert!(scene.recover().await.is_empty());
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Succeeded);
}

pub async fn a_recovery_goes_as_far_as_its_limit(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for millis in 1..=3 {
        let grant = scene.granted(&Claim { overlap: OverlapPolicy::Allow, ..scene.claim(millis) }).await;
        harness.expire_lease(grant.execution_id).await;
    }
    let request = RecoverRequest { instance: scene.instance, healthy_for: LEASE, limit: 2 };
    assert_eq!(scene.store.recover(&request).await.expect("the store answers").len(), 2);
    assert_eq!(scene.store.recover(&request).await.expect("the store answers").len(), 1);
    assert!(scene.recover().await.is_empty());
}
