//! Waiting for the key, and making it free (R17, R19): `queue_one` and `cancel_running`.

use std::time::Duration;

use super::scene::{LEASE, Scene, finish, followed};
use crate::{
    conformance::StoreHarness,
    identity::{ExecutionId, InstanceId},
    job::OverlapPolicy,
    occurrence::Origin,
    status::{Reason, Status},
    store::{Claim, ClaimOutcome, Finish, FinishOutcome, ManualOutcome, NextAttempt, Refusal, TakeOutcome},
};

fn with(overlap: OverlapPolicy, claim: Claim) -> Claim {
    Claim { overlap, ..claim }
}

fn queue_one(scene: &Scene<'_>, millis: i64) -> Claim {
    with(OverlapPolicy::QueueOne, scene.claim(millis))
}

fn cancel_running(scene: &Scene<'_>, millis: i64) -> Claim {
    with(OverlapPolicy::CancelRunning, scene.claim(millis))
}

async fn queued(scene: &Scene<'_>, claim: &Claim) -> ExecutionId {
    match scene.try_claim(claim).await {
        ClaimOutcome::Queued { execution_id } => execution_id,
        other => panic!("expected it queued, got {other:?}"),
    }
}

async fn skipped(scene: &Scene<'_>, claim: &Claim, because: Reason) -> ExecutionId {
    match scene.try_claim(claim).await {
        ClaimOutcome::Skipped { execution_id, reason } => {
            assert_eq!(reason, because);
            let row = scene.row(execution_id).await;
            assert_eq!((row.status, row.reason), (Status::Skipped, Some(because)));
            assert!(!row.queued && !row.holds_key);
            execution_id
        }
        other => panic!("expected it skipped, got {other:?}"),
    }
}

/// A row that waits for the key and is not the queued one: what followed a run that had no key.
async fn loose(scene: &Scene<'_>, millis: i64) -> ExecutionId {
    let grant = scene.granted(&with(OverlapPolicy::Allow, scene.claim(millis))).await;
    let next = Some(NextAttempt { after: Duration::ZERO, holds_key: false });
    scene.finished(&Finish { next, ..finish(grant, Status::Failed) }).await.expect("an attempt follows")
}

async fn make_way(scene: &Scene<'_>) -> Vec<ExecutionId> {
    scene.store.make_way(std::slice::from_ref(&scene.job)).await.expect("the store answers")
}

pub async fn with_the_key_free_an_occurrence_runs_under_either_policy(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let first = scene.granted(&queue_one(&scene, 1)).await;
    assert!(scene.row(first.execution_id).await.holds_key);
    scene.finished(&finish(first, Status::Succeeded)).await;
    let second = scene.granted(&cancel_running(&scene, 2)).await;
    assert!(scene.row(second.execution_id).await.holds_key);
}

pub async fn under_queue_one_an_occurrence_waits_for_the_key(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&queue_one(&scene, 1)).await;
    let id = queued(&scene, &queue_one(&scene, 2)).await;
    let row = scene.row(id).await;
    assert_eq!((row.status, row.origin, row.attempt), (Status::Pending, Origin::Schedule, 1));
    assert!(row.queued && !row.holds_key);
    assert_eq!((row.max_attempts, row.scheduled_at), (3, scene.at(2)));
    assert!(scene.due().await.is_empty(), "the key is held");
    assert_eq!(scene.try_take(&scene.take(id)).await, TakeOutcome::Refused(Refusal::Held));
    assert!(!scene.renew(holder, LEASE).await.expect("the lease is there").cancel_requested, "nobody is asked to stop");
    scene.finished(&finish(holder, Status::Succeeded)).await;
    assert_eq!(scene.due_ids().await, [id]);
    let (_, taken) = scene.taken(&scene.take(id)).await;
    assert!(taken.holds_key && !taken.queued);
}

pub async fn a_queued_occurrence_is_decided(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&queue_one(&scene, 1)).await;
    queued(&scene, &queue_one(&scene, 2)).await;
    let again = scene.try_claim(&queue_one(&scene, 2)).await;
    assert_eq!(again, ClaimOutcome::Refused(Refusal::AlreadyDecided));
}

pub async fn under_queue_one_a_further_occurrence_finds_the_queue_full(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&queue_one(&scene, 1)).await;
    let first = queued(&scene, &queue_one(&scene, 2)).await;
    skipped(&scene, &queue_one(&scene, 3), Reason::QueueFull).await;
    assert_eq!(scene.row(first).await.status, Status::Pending);
}

pub async fn who_waits_goes_before_a_new_occurrence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&queue_one(&scene, 1)).await;
    let waiting = queued(&scene, &queue_one(&scene, 2)).await;
    scene.finished(&finish(holder, Status::Succeeded)).await;
    skipped(&scene, &queue_one(&scene, 3), Reason::QueueFull).await;
    skipped(&scene, &scene.claim(4), Reason::Overlap).await;
    let (grant, _) = scene.taken(&scene.take(waiting)).await;
    queued(&scene, &queue_one(&scene, 5)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
}

pub async fn an_occurrence_waits_behind_a_waiting_retry(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&queue_one(&scene, 1)).await;
    let retry = scene.retried(holder, Duration::ZERO).await;
    let waiting = queued(&scene, &queue_one(&scene, 2)).await;
    assert_eq!(scene.due_ids().await, [retry], "the key is the retry's");
    let (grant, _) = scene.taken(&scene.take(retry)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(scene.due_ids().await, [waiting]);
}

pub async fn what_waits_is_subject_to_a_claims_other_conditions(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&queue_one(&scene, 1)).await;
    for overlap in [OverlapPolicy::QueueOne, OverlapPolicy::CancelRunning, OverlapPolicy::Skip] {
        let late = with(overlap, Claim { deadline: scene.at(1), ..scene.claim(2) });
        assert_eq!(scene.try_claim(&late).await, ClaimOutcome::Refused(Refusal::DeadlinePassed), "{overlap}");
        scene.pause().await;
        let paused = with(overlap, scene.claim(2));
        assert_eq!(scene.try_claim(&paused).await, ClaimOutcome::Refused(Refusal::Paused), "{overlap}");
        scene.resume().await;
    }
    assert_eq!(scene.newest(scene.at(2)).await, None, "nothing was written");
    let holder = scene.newest(scene.at(1)).await.expect("it has a row");
    assert_eq!(holder.status, Status::Running);
}

pub async fn a_refused_claim_asks_nobody_to_stop(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&cancel_running(&scene, 1)).await;
    let late = Claim { deadline: scene.at(1), ..cancel_running(&scene, 2) };
    assert_eq!(scene.try_claim(&late).await, ClaimOutcome::Refused(Refusal::DeadlinePassed));
    let again = cancel_running(&scene, 1);
    assert_eq!(scene.try_claim(&again).await, ClaimOutcome::Refused(Refusal::AlreadyDecided));
    assert!(!scene.renew(holder, LEASE).await.expect("the lease is there").cancel_requested);
}

pub async fn under_cancel_running_the_holder_is_asked_to_stop_and_the_new_one_waits(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&cancel_running(&scene, 1)).await;
    let id = queued(&scene, &cancel_running(&scene, 2)).await;
    assert!(scene.renew(holder, LEASE).await.expect("the lease is there").cancel_requested);
    let row = scene.row(id).await;
    assert!(row.queued && !row.holds_key);
    let stopped = followed(&finish(holder, Status::Failed), Duration::ZERO);
    let cancelled = FinishOutcome::Finished { status: Status::Cancelled, late: false, next: None };
    assert_eq!(scene.try_finish(&stopped).await, cancelled, "a run so cancelled earns no retry");
    assert_eq!(scene.due_ids().await, [id]);
    scene.taken(&scene.take(id)).await;
}

pub async fn under_cancel_running_a_waiting_retry_is_cancelled_at_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&cancel_running(&scene, 1)).await;
    let retry = scene.retried(holder, Duration::from_secs(60)).await;
    let id = queued(&scene, &cancel_running(&scene, 2)).await;
    let row = scene.row(retry).await;
    assert_eq!((row.status, row.holds_key, row.started_at), (Status::Cancelled, false, None));
    assert_eq!(scene.due_ids().await, [id]);
    scene.taken(&scene.take(id)).await;
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").id, retry, "nothing follows it");
}

pub async fn under_cancel_running_the_later_of_two_waiting_stays(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&cancel_running(&scene, 1)).await;
    let earlier = queued(&scene, &cancel_running(&scene, 20)).await;
    let later = queued(&scene, &cancel_running(&scene, 30)).await;
    let row = scene.row(earlier).await;
    assert_eq!((row.status, row.reason, row.queued), (Status::Skipped, Some(Reason::Superseded), false));
    skipped(&scene, &cancel_running(&scene, 10), Reason::Superseded).await;
    let row = scene.row(later).await;
    assert_eq!((row.status, row.queued), (Status::Pending, true));
    let stopped = scene.try_finish(&finish(holder, Status::Cancelled)).await;
    assert!(matches!(stopped, FinishOutcome::Finished { status: Status::Cancelled, .. }), "{stopped:?}");
    assert_eq!(scene.due_ids().await, [later]);
}

/// R17: the holder is asked again at each look while one waits.
pub async fn who_holds_the_key_of_a_waiting_row_is_asked_again_to_stop(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let older = loose(&scene, 5).await;
    let holder = scene.granted(&cancel_running(&scene, 11)).await;
    assert_eq!(make_way(&scene).await, [], "nobody waits for the key");
    let waiting = queued(&scene, &cancel_running(&scene, 20)).await;
    assert_eq!(make_way(&scene).await, [], "the claim has asked");
    scene.try_finish(&finish(holder, Status::Cancelled)).await;
    // The older row goes first, and nobody has asked its run.
    assert_eq!(scene.due_ids().await, [older]);
    let (second, _) = scene.taken(&scene.take(older)).await;
    assert!(!scene.renew(second, LEASE).await.expect("the lease is there").cancel_requested);
    assert_eq!(make_way(&scene).await, [older]);
    assert!(scene.renew(second, LEASE).await.expect("the lease is there").cancel_requested);
    assert_eq!(make_way(&scene).await, [], "it is asked once");
    let stopped = scene.try_finish(&followed(&finish(second, Status::Failed), Duration::ZERO)).await;
    assert_eq!(stopped, FinishOutcome::Finished { status: Status::Cancelled, late: false, next: None });
    assert_eq!(scene.due_ids().await, [waiting]);
}

/// R17: a holder that is a waiting retry is cancelled at once.
pub async fn a_retry_that_came_to_wait_before_a_queued_row_is_cancelled_at_the_next_look(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let older = loose(&scene, 5).await;
    let holder = scene.granted(&cancel_running(&scene, 11)).await;
    let waiting = queued(&scene, &cancel_running(&scene, 20)).await;
    scene.try_finish(&finish(holder, Status::Cancelled)).await;
    let (second, _) = scene.taken(&scene.take(older)).await;
    let retry = scene.retried(second, Duration::from_secs(60)).await;
    assert_eq!(make_way(&scene).await, [retry]);
    let row = scene.row(retry).await;
    assert_eq!((row.status, row.reason, row.holds_key), (Status::Cancelled, Some(Reason::Superseded), false));
    assert_eq!(scene.due_ids().await, [waiting]);
    assert_eq!(scene.rows().await.last().expect("there are rows").id, retry, "nothing follows it");
}

pub async fn nobody_makes_way_for_a_row_that_may_not_run(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let older = loose(&scene, 5).await;
    let holder = scene.granted(&cancel_running(&scene, 11)).await;
    queued(&scene, &cancel_running(&scene, 20)).await;
    scene.try_finish(&finish(holder, Status::Cancelled)).await;
    scene.taken(&scene.take(older)).await;
    scene.pause().await;
    assert_eq!(make_way(&scene).await, [], "what waits is paused");
    let beside = scene.beside("beside").await;
    assert_eq!(make_way(&beside).await, []);
    scene.resume().await;
    assert_eq!(make_way(&beside).await, [], "it is asked for by name");
    assert_eq!(make_way(&scene).await, [older]);
}

pub async fn of_ten_claimers_at_once_one_runs_and_one_waits(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claimers = (1..=10).map(|millis| {
        let store = scene.store.attach();
        let claim = Claim { instance: InstanceId::random(), ..queue_one(&scene, millis) };
        tokio::spawn(async move { store.claim(&[claim]).await })
    });
    let (mut granted, mut waiting, mut full) = (0, 0, 0);
    for claimer in claimers.collect::<Vec<_>>() {
        for outcome in claimer.await.expect("no panic").expect("the store answers") {
            match outcome {
                ClaimOutcome::Granted(_) => granted += 1,
                ClaimOutcome::Queued { .. } => waiting += 1,
                ClaimOutcome::Skipped { reason: Reason::QueueFull, .. } => full += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((granted, waiting, full), (1, 1, 8));
}

pub async fn of_ten_claimers_at_once_that_cancel_one_is_left_waiting(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&cancel_running(&scene, 1)).await;
    let claimers = (2..=11).map(|millis| {
        let store = scene.store.attach();
        let claim = Claim { instance: InstanceId::random(), ..cancel_running(&scene, millis) };
        tokio::spawn(async move { store.claim(&[claim]).await })
    });
    for claimer in claimers.collect::<Vec<_>>() {
        claimer.await.expect("no panic").expect("the store answers");
    }
    for millis in 2..=10 {
        let row = scene.newest(scene.at(millis)).await.expect("each has its row");
        assert_eq!((row.status, row.reason), (Status::Skipped, Some(Reason::Superseded)), "{millis}");
    }
    let last = scene.newest(scene.at(11)).await.expect("it has its row");
    assert_eq!((last.status, last.queued), (Status::Pending, true), "the latest");
    assert!(scene.renew(holder, LEASE).await.expect("the lease is there").cancel_requested);
}

pub async fn a_request_waits_as_the_queued_row(harness: &dyn StoreHarness) {
    for overlap in [OverlapPolicy::QueueOne, OverlapPolicy::CancelRunning] {
        let scene = Scene::new(harness).await.beside(&format!("requested-{}", overlap.as_str())).await;
        let holder = scene.granted(&with(overlap, scene.claim(1))).await;
        let accepted = scene.accepted(&scene.manual("key", overlap)).await;
        assert!(accepted.queued && !accepted.holds_key, "{overlap}");
        assert_eq!(
            scene.request(&scene.manual("key", overlap)).await,
            ManualOutcome::Repeated(accepted.clone().into())
        );
        let asked = scene.renew(holder, LEASE).await.expect("the lease is there").cancel_requested;
        assert_eq!(asked, overlap == OverlapPolicy::CancelRunning);
        assert_eq!(scene.try_take(&scene.take(accepted.id)).await, TakeOutcome::Refused(Refusal::Held));
        scene.try_finish(&finish(holder, Status::Cancelled)).await;
        scene.taken(&scene.take(accepted.id)).await;
    }
}

pub async fn a_further_request_finds_the_queue_full(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&queue_one(&scene, 1)).await;
    let first = scene.accepted(&scene.manual("first", OverlapPolicy::QueueOne)).await;
    let second = scene.accepted(&scene.manual("second", OverlapPolicy::QueueOne)).await;
    assert_eq!((second.status, second.reason), (Status::Skipped, Some(Reason::QueueFull)));
    assert_eq!(scene.row(first.id).await.status, Status::Pending);
}

pub async fn a_request_goes_before_a_new_occurrence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::QueueOne)).await;
    skipped(&scene, &queue_one(&scene, 1), Reason::QueueFull).await;
    let (grant, _) = scene.taken(&scene.take(accepted.id)).await;
    let waiting = queued(&scene, &queue_one(&scene, 2)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(scene.due_ids().await, [waiting]);
}
