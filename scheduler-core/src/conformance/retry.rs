//! One more attempt (R20).

use std::time::Duration;

use super::scene::{Scene, finish, followed};
use crate::{
    conformance::StoreHarness,
    execution::Execution,
    identity::ExecutionId,
    job::OverlapPolicy,
    occurrence::Origin,
    status::Status,
    store::{Actor, Claim, ClaimOutcome, FinishOutcome, RetryOutcome, RetryRequest},
};

fn request(execution_id: ExecutionId) -> RetryRequest {
    RetryRequest { execution_id, actor: Actor::new("ayu") }
}

async fn retry(scene: &Scene<'_>, id: ExecutionId) -> RetryOutcome {
    scene.store.retry(&request(id)).await.expect("the store answers")
}

/// Retries what must be retried.
async fn retried(scene: &Scene<'_>, id: ExecutionId) -> Execution {
    match retry(scene, id).await {
        RetryOutcome::Retried(row) => *row,
        other => panic!("expected it retried, got {other:?}"),
    }
}

pub async fn a_run_that_did_not_succeed_is_followed_by_one_more_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let ends = [Status::Failed, Status::TimedOut, Status::Cancelled, Status::Abandoned];
    for (millis, status) in (1..).zip(ends) {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, status)).await;
        let before = scene.now().await;
        let row = retried(&scene, grant.execution_id).await;
        assert_eq!(row, scene.row(row.id).await, "the answer is the row");
        assert_eq!((row.status, row.origin, row.scheduled_at), (Status::Pending, Origin::Schedule, scene.at(millis)));
        assert_eq!((row.attempt, row.max_attempts), (2, 2), "{status}: one more, and none after it");
        assert!(before <= row.not_before && row.not_before <= scene.now().await);
        assert_eq!(scene.due_ids().await, [row.id]);
        let (grant, taken) = scene.taken(&scene.take(row.id)).await;
        assert!(taken.holds_key);
        scene.finished(&finish(grant, Status::Succeeded)).await;
    }
}

pub async fn a_retried_request_keeps_its_origin_parameters_and_who_asked(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    let (grant, _) = scene.taken(&scene.take(accepted.id)).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    let row = retried(&scene, accepted.id).await;
    assert_eq!((row.origin, &row.occurrence), (Origin::Manual, &accepted.occurrence));
    assert_eq!((&row.params, &row.triggered_by), (&accepted.params, &accepted.triggered_by));
}

pub async fn what_is_open_or_succeeded_or_never_ran_is_not_retried(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let not_retryable = |status| RetryOutcome::NotRetryable { status, next: None };
    let succeeded = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(succeeded, Status::Succeeded)).await;
    assert_eq!(retry(&scene, succeeded.execution_id).await, not_retryable(Status::Succeeded));
    let running = scene.granted(&scene.claim(2)).await;
    assert_eq!(retry(&scene, running.execution_id).await, not_retryable(Status::Running));
    let ClaimOutcome::Skipped { execution_id, .. } = scene.try_claim(&scene.claim(3)).await else {
        panic!("it was not skipped")
    };
    assert_eq!(retry(&scene, execution_id).await, not_retryable(Status::Skipped));
    let pending = scene.retried(running, Duration::ZERO).await;
    assert_eq!(retry(&scene, pending).await, not_retryable(Status::Pending));
    assert_eq!(scene.rows().await.len(), 4, "nothing was written");
}

pub async fn only_the_last_attempt_is_retried(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let first = scene.granted(&scene.claim(1)).await;
    let second = scene.retried(first, Duration::ZERO).await;
    let of_the_first = RetryOutcome::NotRetryable { status: Status::Failed, next: Some(second) };
    assert_eq!(retry(&scene, first.execution_id).await, of_the_first);
    let (grant, _) = scene.taken(&scene.take(second)).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    assert_eq!(retry(&scene, first.execution_id).await, of_the_first, "whatever became of it");
    let third = retried(&scene, second).await;
    assert_eq!((third.attempt, third.max_attempts), (3, 3));
    let of_the_second = RetryOutcome::NotRetryable { status: Status::Failed, next: Some(third.id) };
    assert_eq!(retry(&scene, second).await, of_the_second);
}

pub async fn a_retry_holds_nothing_until_it_is_taken(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    let row = retried(&scene, grant.execution_id).await;
    assert!(!row.holds_key && !row.queued);
    let other = scene.granted(&scene.claim(2)).await;
    assert!(scene.due().await.is_empty(), "the key is held by another");
    scene.finished(&finish(other, Status::Succeeded)).await;
    assert_eq!(scene.due_ids().await, [row.id]);
}

pub async fn a_retry_of_a_paused_jobs_occurrence_waits(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    scene.pause().await;
    let row = retried(&scene, grant.execution_id).await;
    assert!(scene.due().await.is_empty());
    scene.resume().await;
    assert_eq!(scene.due_ids().await, [row.id]);
}

pub async fn an_abandoned_runs_outcome_is_too_late_once_it_was_retried(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.recovered(grant).await;
    let row = retried(&scene, grant.execution_id).await;
    assert_eq!(scene.try_finish(&finish(grant, Status::Succeeded)).await, FinishOutcome::Fenced);
    assert_eq!(scene.row(row.id).await.status, Status::Pending);
    // The other way round: an outcome that came late and did not succeed earns its retry like any other.
    let other = scene.granted(&Claim { overlap: OverlapPolicy::Allow, ..scene.claim(2) }).await;
    scene.recovered(other).await;
    let late = scene.try_finish(&followed(&finish(other, Status::Failed), Duration::ZERO)).await;
    assert_eq!(late, FinishOutcome::Finished { status: Status::Failed, late: true, next: None });
    retried(&scene, other.execution_id).await;
}

pub async fn what_is_not_there_is_not_retried(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for id in [ExecutionId(i64::MAX), ExecutionId(-1)] {
        assert_eq!(retry(&scene, id).await, RetryOutcome::Unknown);
    }
    assert!(scene.rows().await.is_empty());
}

pub async fn of_ten_who_retry_at_once_one_does(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    let askers = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), request(grant.execution_id));
        tokio::spawn(async move { store.retry(&request).await })
    });
    let (mut count, mut next) = (0, Vec::new());
    for asker in askers.collect::<Vec<_>>() {
        match asker.await.expect("no panic").expect("the store answers") {
            RetryOutcome::Retried(row) => {
                count += 1;
                next.push(Some(row.id));
            }
            RetryOutcome::NotRetryable { next: found, .. } => next.push(found),
            other => panic!("{other:?}"),
        }
    }
    next.dedup();
    assert_eq!((count, next.len(), scene.rows().await.len()), (1, 1, 2));
}
