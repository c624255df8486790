//! Runs that each instance has for itself (R26).

use std::time::Duration;

use super::scene::{LEASE, Scene, beat, finish, followed};
use crate::{
    conformance::StoreHarness,
    identity::InstanceId,
    job::OverlapPolicy,
    occurrence::OccurrenceKey,
    status::{Reason, Status},
    store::{Actor, Claim, ClaimOutcome, DueRequest, Refusal, RetryOutcome, RetryRequest, TakeOutcome, TakeRequest},
};

/// A claim of an occurrence that is this instance's alone.
fn claim_of(scene: &Scene<'_>, instance: InstanceId, millis: i64) -> Claim {
    let occurrence = OccurrenceKey::on_instance(scene.at(millis), instance);
    Claim { occurrence, instance, every_instance: true, ..scene.claim(millis) }
}

fn take_of(scene: &Scene<'_>, instance: InstanceId, id: crate::identity::ExecutionId) -> TakeRequest {
    TakeRequest { instance, every_instance: true, ..scene.take(id) }
}

async fn due_of(scene: &Scene<'_>, instance: InstanceId) -> Vec<crate::identity::ExecutionId> {
    let request = DueRequest { instance, ..scene.due_request(100) };
    let due = scene.store.due(&request).await.expect("the store answers");
    due.into_iter().map(|due| due.execution_id).collect()
}

/// The scene's instance, and one beside it that lives.
async fn two(scene: &Scene<'_>) -> (InstanceId, InstanceId) {
    let other = InstanceId::random();
    beat(&*scene.store, other).await;
    (scene.instance, other)
}

pub async fn each_instance_runs_an_occurrence_of_its_own(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    for instance in [one, other] {
        let grant = scene.granted(&claim_of(&scene, instance, 1)).await;
        let row = scene.row(grant.execution_id).await;
        assert_eq!((row.instance, row.for_instance), (Some(instance), Some(instance)));
        assert!(row.holds_key, "the key that ends in its instance");
    }
    assert_eq!(scene.rows().await.len(), 2);
}

/// R26.
pub async fn an_instance_s_own_key_is_held_within_it_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    scene.granted(&claim_of(&scene, one, 1)).await;
    match scene.try_claim(&claim_of(&scene, one, 2)).await {
        ClaimOutcome::Skipped { reason: Reason::Overlap, .. } => {}
        met => panic!("expected it skipped, got {met:?}"),
    }
    scene.granted(&claim_of(&scene, other, 2)).await;
    // One queue for each, too.
    for instance in [one, other] {
        let queued = Claim { overlap: OverlapPolicy::QueueOne, ..claim_of(&scene, instance, 3) };
        assert!(matches!(scene.try_claim(&queued).await, ClaimOutcome::Queued { .. }));
    }
    let full = Claim { overlap: OverlapPolicy::QueueOne, ..claim_of(&scene, one, 4) };
    match scene.try_claim(&full).await {
        ClaimOutcome::Skipped { reason: Reason::QueueFull, .. } => {}
        met => panic!("expected the queue full, got {met:?}"),
    }
}

pub async fn the_holder_of_one_instance_is_not_asked_to_stop_for_another_s_occurrence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    let cancelling =
        |instance, millis| Claim { overlap: OverlapPolicy::CancelRunning, ..claim_of(&scene, instance, millis) };
    let first = scene.granted(&cancelling(one, 1)).await;
    let second = scene.granted(&cancelling(other, 1)).await;
    assert!(matches!(scene.try_claim(&cancelling(other, 2)).await, ClaimOutcome::Queued { .. }));
    assert!(!scene.renew(first, LEASE).await.expect("it lives").cancel_requested);
    assert!(scene.renew(second, LEASE).await.expect("it lives").cancel_requested);
}

pub async fn a_retry_of_one_instance_waits_for_it_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    let grant = scene.granted(&claim_of(&scene, one, 1)).await;
    let retry = scene.retried(grant, Duration::ZERO).await;
    assert!(scene.row(retry).await.holds_key);
    assert!(due_of(&scene, other).await.is_empty());
    assert_eq!(
        scene.try_take(&take_of(&scene, other, retry)).await,
        TakeOutcome::Refused(Refusal::NotPending),
        "nobody else has it"
    );
    assert_eq!(due_of(&scene, one).await, [retry]);
    let (_, taken) = scene.taken(&take_of(&scene, one, retry)).await;
    assert_eq!((taken.attempt, taken.for_instance), (2, Some(one)));
}

pub async fn a_manual_row_runs_under_the_key_of_whoever_takes_it(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    scene.granted(&claim_of(&scene, one, 1)).await;
    let manual = scene.accepted(&scene.manual("now", OverlapPolicy::Skip)).await;
    assert!(due_of(&scene, one).await.is_empty(), "its own key is held");
    assert_eq!(scene.try_take(&take_of(&scene, one, manual.id)).await, TakeOutcome::Refused(Refusal::Held));
    assert_eq!(due_of(&scene, other).await, [manual.id]);
    let (grant, taken) = scene.taken(&take_of(&scene, other, manual.id)).await;
    assert_eq!(taken.for_instance, Some(other));
    let retry = scene.finished(&followed(&finish(grant, Status::Failed), Duration::ZERO)).await.expect("it follows");
    assert_eq!(scene.row(retry).await.for_instance, Some(other), "where it was first");
}

pub async fn what_waits_for_an_instance_is_cancelled_as_it_leaves(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    let mut waiting = Vec::new();
    for instance in [one, other] {
        let grant = scene.granted(&claim_of(&scene, instance, 1)).await;
        waiting.push(scene.retried(grant, Duration::ZERO).await);
    }
    scene.store.leave(other).await.expect("the store answers");
    let row = scene.row(waiting[1]).await;
    assert_eq!((row.status, row.reason, row.holds_key), (Status::Cancelled, Some(Reason::Shutdown), false));
    assert!(row.finished_at.is_some());
    assert_eq!(scene.row(waiting[0]).await.status, Status::Pending);
}

/// R26.
pub async fn what_waits_for_a_lost_instance_is_cancelled_by_recovery(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let lost = InstanceId::random();
    for instance in [scene.instance, lost] {
        let grant = scene.granted(&claim_of(&scene, instance, 1)).await;
        scene.retried(grant, Duration::ZERO).await;
    }
    beat(&*scene.store, scene.instance).await;
    assert!(scene.recover().await.is_empty());
    let rows = scene.rows().await;
    let waits = |row: &&crate::execution::Execution| row.attempt == 2;
    let fates: Vec<_> = rows.iter().filter(waits).map(|row| (row.for_instance, row.status, row.reason)).collect();
    assert_eq!(
        fates,
        [(Some(scene.instance), Status::Pending, None), (Some(lost), Status::Cancelled, Some(Reason::InstanceLost)),]
    );
}

pub async fn what_an_instance_left_behind_is_not_retried(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (one, other) = two(&scene).await;
    let mut failed = Vec::new();
    for instance in [one, other] {
        let grant = scene.granted(&claim_of(&scene, instance, 1)).await;
        scene.finished(&finish(grant, Status::Failed)).await;
        failed.push(grant.execution_id);
    }
    scene.store.leave(other).await.expect("the store answers");
    let retry = async |execution_id| {
        let request = RetryRequest { execution_id, actor: Actor::new("ayu") };
        scene.store.retry(&request).await.expect("the store answers")
    };
    match retry(failed[0]).await {
        RetryOutcome::Retried(row) => assert_eq!(row.for_instance, Some(one)),
        outcome => panic!("expected it retried, got {outcome:?}"),
    }
    assert_eq!(retry(failed[1]).await, RetryOutcome::NotRetryable { status: Status::Failed, next: None });
}
