//! Manual requests (R19).

use std::time::Duration;

use super::scene::{Scene, finish, job};
use crate::{
    conformance::StoreHarness,
    job::OverlapPolicy,
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::{Announcement, Claim, ClaimOutcome, ManualOutcome, ManualRequest},
};

pub async fn a_request_waits_to_be_taken_with_its_parameters(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = scene.manual("today", OverlapPolicy::Skip);
    let before = scene.now().await;
    let accepted = scene.accepted(&request).await;
    let after = scene.now().await;
    assert_eq!(accepted, scene.row(accepted.id).await, "the answer is the row");
    assert_eq!((&accepted.job_id, &accepted.occurrence), (&scene.job, &request.occurrence));
    assert_eq!((accepted.status, accepted.origin), (Status::Pending, Origin::Manual));
    assert_eq!((accepted.attempt, accepted.max_attempts), (1, 2));
    assert_eq!((accepted.triggered_by.as_deref(), &accepted.params), (Some("operator"), &request.params));
    assert!(before <= accepted.scheduled_at && accepted.scheduled_at <= after, "it is due now, by the store's clock");
    assert_eq!(scene.due_ids().await, [accepted.id]);
    let (grant, taken) = scene.taken(&scene.take(accepted.id)).await;
    assert_eq!((taken.params, taken.triggered_by), (request.params, accepted.triggered_by));
    scene.finished(&finish(grant, Status::Succeeded)).await;
}

pub async fn a_request_of_an_unknown_job_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = ManualRequest { job_id: job("never-announced"), ..scene.manual("key", OverlapPolicy::Skip) };
    assert_eq!(scene.request(&request).await, ManualOutcome::UnknownJob);
}

pub async fn a_repeated_request_is_answered_with_its_first_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = scene.manual("key", OverlapPolicy::Skip);
    let first = scene.accepted(&request).await;
    assert_eq!(scene.request(&request).await, ManualOutcome::Repeated(Box::new(first.clone())));
    let (grant, _) = scene.taken(&scene.take(first.id)).await;
    scene.retried(grant, Duration::ZERO).await;
    match scene.request(&request).await {
        ManualOutcome::Repeated(row) => {
            assert_eq!((row.id, row.attempt, row.status), (first.id, 1, Status::Failed), "as it stands");
        }
        other => panic!("expected it repeated, got {other:?}"),
    }
}

pub async fn another_request_under_a_known_key_is_a_conflict(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = scene.manual("key", OverlapPolicy::Skip);
    let first = scene.accepted(&request).await;
    for hash in [Some("another body".to_owned()), None] {
        let other = ManualRequest { request_hash: hash, ..request.clone() };
        assert_eq!(scene.request(&other).await, ManualOutcome::IdempotencyConflict);
    }
    assert_eq!(scene.row(first.id).await, first, "nothing was written");
}

pub async fn a_request_without_a_key_is_repeated_by_its_own_name(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let unnamed = |name: &str| ManualRequest { request_hash: None, ..scene.manual(name, OverlapPolicy::Allow) };
    let first = scene.accepted(&unnamed("5f0c7b1e")).await;
    assert_eq!(scene.request(&unnamed("5f0c7b1e")).await, ManualOutcome::Repeated(Box::new(first.clone())));
    assert_ne!(scene.accepted(&unnamed("0d9a44aa")).await.id, first.id);
}

pub async fn keys_are_of_one_job(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let first = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    let second = beside.accepted(&beside.manual("key", OverlapPolicy::Skip)).await;
    assert_ne!(first.id, second.id);
}

pub async fn under_skip_a_request_holds_the_key_from_the_start(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    assert!(accepted.holds_key && !accepted.queued);
    assert!(matches!(scene.try_claim(&scene.claim(1)).await, ClaimOutcome::Skipped { .. }));
    scene.taken(&scene.take(accepted.id)).await;
}

pub async fn under_skip_a_request_that_meets_a_holder_writes_no_row(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let request = scene.manual("key", OverlapPolicy::Skip);
    let running = ManualOutcome::AlreadyRunning { execution_id: Some(grant.execution_id) };
    assert_eq!(scene.request(&request).await, running);
    let row = scene.store.newest_attempt(&scene.job, &request.occurrence).await.expect("the store answers");
    assert_eq!(row, None);
    // Nothing was noted of its key either: once the run is over, it is accepted.
    scene.finished(&finish(grant, Status::Succeeded)).await;
    scene.accepted(&request).await;
}

pub async fn under_skip_a_request_meets_a_waiting_request(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let first = scene.accepted(&scene.manual("first", OverlapPolicy::Skip)).await;
    let second = scene.request(&scene.manual("second", OverlapPolicy::Skip)).await;
    assert_eq!(second, ManualOutcome::AlreadyRunning { execution_id: Some(first.id) });
}

pub async fn the_idempotency_key_is_asked_before_overlap(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = scene.manual("key", OverlapPolicy::Skip);
    let first = scene.accepted(&request).await;
    scene.taken(&scene.take(first.id)).await;
    match scene.request(&request).await {
        ManualOutcome::Repeated(row) => assert_eq!((row.id, row.status), (first.id, Status::Running)),
        other => panic!("expected it repeated, got {other:?}"),
    }
    let other = ManualRequest { request_hash: Some("another body".to_owned()), ..request };
    assert_eq!(scene.request(&other).await, ManualOutcome::IdempotencyConflict);
}

pub async fn under_allow_requests_wait_side_by_side(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&Claim { overlap: OverlapPolicy::Allow, ..scene.claim(1) }).await;
    for key in ["first", "second"] {
        let accepted = scene.accepted(&scene.manual(key, OverlapPolicy::Allow)).await;
        assert!(!accepted.holds_key && !accepted.queued);
    }
}

pub async fn a_request_passes_pause(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.pause().await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    assert_eq!(scene.due_ids().await, [accepted.id]);
    scene.taken(&scene.take(accepted.id)).await;
}

pub async fn a_request_passes_a_disabled_schedule(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let disabled = Announcement { enabled: false, ..super::scene::announcement(&scene.job, "disabled") };
    super::scene::announce(&*scene.store, scene.instance, &disabled).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    assert_eq!(scene.due_ids().await, [accepted.id]);
    scene.taken(&scene.take(accepted.id)).await;
}

pub async fn of_ten_equal_requests_at_once_one_row_comes(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let requests = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), scene.manual("key", OverlapPolicy::Skip));
        tokio::spawn(async move { store.request(&request).await })
    });
    let (mut accepted, mut ids) = (0, Vec::new());
    for request in requests.collect::<Vec<_>>() {
        match request.await.expect("no panic").expect("the store answers") {
            ManualOutcome::Accepted(row) => {
                accepted += 1;
                ids.push(row.id);
            }
            ManualOutcome::Repeated(row) => ids.push(row.id),
            other => panic!("expected it accepted or repeated, got {other:?}"),
        }
    }
    ids.dedup();
    assert_eq!((accepted, ids.len()), (1, 1));
}

pub async fn of_ten_requests_at_once_one_gets_the_key_under_skip(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let requests = (0..10).map(|number| {
        let (store, request) = (scene.store.attach(), scene.manual(&format!("key-{number}"), OverlapPolicy::Skip));
        tokio::spawn(async move { store.request(&request).await })
    });
    let (mut accepted, mut refused) = (0, 0);
    for request in requests.collect::<Vec<_>>() {
        match request.await.expect("no panic").expect("the store answers") {
            ManualOutcome::Accepted(_) => accepted += 1,
            ManualOutcome::AlreadyRunning { .. } => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((accepted, refused), (1, 9));
}

pub async fn an_idempotency_key_may_be_any_text(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for key in ["'; --", "ключ", "a:b:c", &"x".repeat(200)] {
        let accepted = scene.accepted(&scene.manual(key, OverlapPolicy::Allow)).await;
        assert_eq!(scene.row(accepted.id).await.occurrence, OccurrenceKey::manual(key));
    }
}
