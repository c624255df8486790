//! Stopping what waits; what runs is asked by its lease.

use std::time::Duration;

use super::scene::{Scene, finish};
use crate::{
    conformance::StoreHarness,
    job::OverlapPolicy,
    status::{Reason, Status},
    store::{Actor, CancelOutcome, CancelRequest, Refusal, RetryOutcome, RetryRequest, TakeOutcome},
};

pub async fn what_waits_is_cancelled_at_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Allow)).await;
    let before = scene.now().await;
    let CancelOutcome::Cancelled(row) = scene.cancel(accepted.id).await else { panic!("it was not cancelled") };
    assert_eq!(*row, scene.row(accepted.id).await, "the answer is the row");
    assert_eq!((row.status, row.reason), (Status::Cancelled, Some(Reason::ByRequest)));
    assert_eq!(row.message.as_deref(), Some("a mistake"));
    assert!(!row.holds_key && !row.queued);
    let ended = row.finished_at.expect("it has ended");
    assert!(before <= ended && ended <= scene.now().await, "by the store's clock");
    assert_eq!((row.started_at, row.duration_seconds), (None, None));
    assert!(scene.due().await.is_empty());
}

pub async fn a_cancelled_retry_gives_the_key_up(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let retry = scene.retried(grant, Duration::from_secs(60)).await;
    assert!(scene.row(retry).await.holds_key);
    assert!(matches!(scene.cancel(retry).await, CancelOutcome::Cancelled(_)));
    scene.granted(&scene.claim(2)).await;
}

pub async fn a_cancelled_request_gives_the_key_up(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    assert!(matches!(scene.cancel(accepted.id).await, CancelOutcome::Cancelled(_)));
    scene.accepted(&scene.manual("another", OverlapPolicy::Skip)).await;
}

pub async fn a_cancelled_row_is_not_taken(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    scene.cancel(accepted.id).await;
    assert_eq!(scene.try_take(&scene.take(accepted.id)).await, TakeOutcome::Refused(Refusal::NotPending));
}

pub async fn a_cancelled_row_is_final_and_may_be_retried(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    scene.cancel(accepted.id).await;
    assert_eq!(scene.cancel(accepted.id).await, CancelOutcome::Ended(Status::Cancelled));
    let retry = RetryRequest { execution_id: accepted.id, actor: Actor::new("ayu") };
    let outcome = scene.store.retry(&retry).await.expect("the store answers");
    let RetryOutcome::Retried(row) = outcome else { panic!("{outcome:?}") };
    let (grant, _) = scene.taken(&scene.take(row.id)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
}

pub async fn of_a_cancel_and_a_take_at_once_one_comes_first(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for round in 0..10 {
        let accepted = scene.accepted(&scene.manual(&format!("key-{round}"), OverlapPolicy::Skip)).await;
        let (store, take) = (scene.store.attach(), scene.take(accepted.id));
        let taker = tokio::spawn(async move { store.take(&[take]).await });
        let (store, cancel) =
            (scene.store.attach(), CancelRequest { execution_id: accepted.id, actor: Actor::new("ayu") });
        let canceller = tokio::spawn(async move { store.cancel(&cancel).await });
        let taken = taker.await.expect("no panic").expect("the store answers").remove(0);
        let cancelled = canceller.await.expect("no panic").expect("the store answers");
        let status = scene.row(accepted.id).await.status;
        match (taken, cancelled) {
            (TakeOutcome::Granted { grant, .. }, CancelOutcome::Asked) => {
                assert_eq!(status, Status::Running);
                let renewed = scene.renew(grant, super::scene::LEASE).await.expect("the lease is there");
                assert!(renewed.cancel_requested, "whoever comes second finds the run");
                scene.try_finish(&finish(grant, Status::Cancelled)).await;
            }
            (TakeOutcome::Refused(Refusal::NotPending | Refusal::Held), CancelOutcome::Cancelled(_)) => {
                assert_eq!(status, Status::Cancelled);
            }
            other => panic!("{other:?}"),
        }
    }
}
