//! The trace that a request belongs to, kept for whoever runs it.

use std::time::Duration;

use super::scene::{Scene, announcement, finish, followed, job, trace_context};
use crate::{
    conformance::StoreHarness,
    identity::ExecutionId,
    job::OverlapPolicy,
    status::{Reason, Status},
    store::{
        Actor, Announcement, Finish, Grant, ManualOutcome, ManualRequest, RetryOutcome, RetryRequest, TakeRequest,
    },
};

/// A request in a trace, that has started.
async fn requested(scene: &Scene<'_>) -> Grant {
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    let (grant, taken) = scene.taken(&scene.take(accepted.id)).await;
    assert_eq!((accepted.trace_context, taken.trace_context), (Some(trace_context()), Some(trace_context())));
    grant
}

async fn is_in_the_trace(scene: &Scene<'_>, id: ExecutionId) {
    let row = scene.row(id).await;
    assert_eq!((row.attempt, row.trace_context), (2, Some(trace_context())));
}

pub async fn each_attempt_at_a_request_is_in_its_trace(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = requested(&scene).await;
    is_in_the_trace(&scene, scene.retried(grant, Duration::ZERO).await).await;
}

pub async fn one_more_attempt_at_a_request_is_in_its_trace(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = requested(&scene).await;
    scene.finished(&finish(grant, Status::Failed)).await;
    let retry = RetryRequest { execution_id: grant.execution_id, actor: Actor::new("ayu") };
    match scene.store.retry(&retry).await.expect("the store answers") {
        RetryOutcome::Retried(row) => {
            assert_eq!(row.trace_context, Some(trace_context()));
            is_in_the_trace(&scene, row.id).await;
        }
        other => panic!("expected it retried, got {other:?}"),
    }
}

pub async fn a_lost_request_s_next_attempt_is_in_its_trace(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    let (grant, _) = scene.taken(&TakeRequest { rerun_on_crash: true, ..scene.take(accepted.id) }).await;
    is_in_the_trace(&scene, scene.recovered(grant).await.next.expect("it runs again")).await;
}

pub async fn the_attempt_after_a_take_without_a_body_is_in_its_trace(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = requested(&scene).await;
    scene.recovered(grant).await;
    let outcome = Finish { reason: Some(Reason::UnknownCommit), ..finish(grant, Status::Abandoned) };
    let next = scene.finished(&followed(&outcome, Duration::ZERO)).await.expect("its body never started");
    is_in_the_trace(&scene, next).await;
}

pub async fn what_runs_after_a_request_is_in_its_trace(harness: &dyn StoreHarness) {
    let root = Scene::new(harness).await;
    let after = Announcement { trigger: "after conformance".to_owned(), ..announcement(&job("then"), "first") };
    let then = root.beside_as(after).await;
    let grant = requested(&root).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    let rows = then.rows().await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(rows[0].trace_context, Some(trace_context()));
}

pub async fn a_request_repeated_in_another_trace_is_the_same_request(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let request = scene.manual("key", OverlapPolicy::Skip);
    let first = scene.accepted(&request).await;
    let again = scene.request(&ManualRequest { trace_context: None, ..request }).await;
    assert_eq!(again, ManualOutcome::Repeated(Box::new(first)));
}

pub async fn what_the_schedule_brings_is_in_no_trace(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert_eq!(scene.row(grant.execution_id).await.trace_context, None);
}
