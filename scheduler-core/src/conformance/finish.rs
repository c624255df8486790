//! Outcomes written (R6, R9).

use std::time::Duration;

use serde_json::json;

use super::scene::{LEASE, Scene, finish, followed};
use crate::{
    conformance::StoreHarness,
    identity::{ExecutionId, FencingToken},
    occurrence::Origin,
    status::{Reason, Status},
    store::{Claim, Finish, FinishOutcome, Grant, NextAttempt},
};

/// Long enough to tell from nothing.
const WHILE: Duration = Duration::from_millis(250);

fn finished(status: Status) -> FinishOutcome {
    FinishOutcome::Finished { status, late: false, next: None }
}

pub async fn an_outcome_is_written_with_what_the_job_said(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    harness.pass(WHILE).await;
    let said = Finish {
        reason: Some(Reason::Panic),
        message: Some("kein Glück: 💥".to_owned()),
        error_trace: Some("at line 1\nat line 2".to_owned()),
        result_data: Some(json!({"created": 2_100, "errors": [null, 1.5, "x"]})),
        ..finish(grant, Status::Failed)
    };
    assert_eq!(scene.try_finish(&said).await, finished(Status::Failed));
    let row = scene.row(grant.execution_id).await;
    assert_eq!((row.status, row.reason), (Status::Failed, said.reason));
    assert_eq!((row.message, row.error_trace, row.result_data), (said.message, said.error_trace, said.result_data));
    assert!(!row.late && !row.holds_key);
    assert_eq!((row.fence, row.instance), (Some(grant.fence), Some(scene.instance)), "who ran it stays known");
    let (started_at, finished_at) = (grant.started_at, row.finished_at.expect("it has ended"));
    assert_eq!(row.started_at, Some(started_at));
    let took = (finished_at - started_at).to_std().expect("it ended after its start");
    assert!(took >= WHILE, "{took:?}");
    let seconds = row.duration_seconds.expect("it has ended");
    assert!((seconds - took.as_secs_f64()).abs() <= 0.001, "{seconds} for {took:?}");
}

pub async fn every_final_status_is_written(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for (millis, status, reason) in [
        (1, Status::Succeeded, Some(Reason::NothingToDo)),
        (2, Status::Failed, Some(Reason::LeaseLost)),
        (3, Status::TimedOut, None),
        (4, Status::Cancelled, Some(Reason::Shutdown)),
        (5, Status::Abandoned, Some(Reason::UnknownCommit)),
    ] {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&Finish { reason, ..finish(grant, status) }).await;
        let row = scene.row(grant.execution_id).await;
        assert_eq!((row.status, row.reason), (status, reason));
    }
}

pub async fn an_outcome_with_another_fence_is_fenced(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let stale = Grant { fence: FencingToken(grant.fence.0 - 1), ..grant };
    let outcome = followed(&finish(stale, Status::Failed), Duration::ZERO);
    assert_eq!(scene.try_finish(&outcome).await, FinishOutcome::Fenced);
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Running);
    assert!(scene.due().await.is_empty());
    assert!(scene.renew(grant, LEASE).await.is_some(), "the lease is left");
}

pub async fn an_outcome_of_no_row_is_fenced(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let unknown = Grant { execution_id: ExecutionId(i64::MAX), ..grant };
    assert_eq!(scene.try_finish(&finish(unknown, Status::Succeeded)).await, FinishOutcome::Fenced);
}

pub async fn a_final_row_is_not_overwritten(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    let before = scene.row(grant.execution_id).await;
    for status in [Status::Failed, Status::TimedOut, Status::Cancelled, Status::Abandoned] {
        let other = followed(&finish(grant, status), Duration::ZERO);
        assert_eq!(scene.try_finish(&other).await, FinishOutcome::Fenced, "{status}");
    }
    assert_eq!(scene.row(grant.execution_id).await, before);
    assert!(scene.due().await.is_empty());
}

pub async fn an_outcome_repeated_after_a_lost_reply_is_success(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let outcome = finish(grant, Status::Succeeded);
    scene.finished(&outcome).await;
    let before = scene.row(grant.execution_id).await;
    harness.pass(WHILE).await;
    assert_eq!(scene.try_finish(&outcome).await, finished(Status::Succeeded));
    assert_eq!(scene.row(grant.execution_id).await, before, "nothing was written");
}

pub async fn a_repeated_outcome_names_the_attempt_that_followed_and_adds_none(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let outcome = followed(&finish(grant, Status::Failed), Duration::ZERO);
    let first = scene.try_finish(&outcome).await;
    assert!(matches!(first, FinishOutcome::Finished { next: Some(_), .. }), "{first:?}");
    assert_eq!(scene.try_finish(&outcome).await, first);
    assert_eq!(scene.due().await.len(), 1);
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").attempt, 2);
}

pub async fn the_next_attempt_is_inserted_with_the_outcome(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let next = scene.retried(grant, Duration::from_secs(60)).await;
    let (ended, row) = (scene.row(grant.execution_id).await, scene.row(next).await);
    assert!(next > grant.execution_id);
    assert_eq!((&row.job_id, &row.occurrence), (&ended.job_id, &ended.occurrence));
    assert_eq!((row.attempt, row.max_attempts), (2, 3));
    assert_eq!((row.status, row.reason, row.origin), (Status::Pending, None, Origin::Schedule));
    assert_eq!(row.scheduled_at, ended.scheduled_at, "the nominal instant is the occurrence's");
    let delay = (row.not_before - ended.finished_at.expect("it has ended")).to_std().expect("later than the end");
    assert!(delay > Duration::from_secs(59) && delay < Duration::from_secs(61), "{delay:?}");
    assert!(row.holds_key && !row.queued);
    assert_eq!((row.started_at, row.finished_at, row.fence, row.instance), (None, None, None, None));
    assert_eq!((row.message, row.error_trace, row.result_data), (None, None, None));
}

pub async fn a_next_attempt_without_the_key_holds_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let next = Some(NextAttempt { after: Duration::ZERO, holds_key: false });
    let next = scene.finished(&Finish { next, ..finish(grant, Status::Failed) }).await.expect("an attempt follows");
    assert!(!scene.row(next).await.holds_key);
    scene.granted(&scene.claim(2)).await;
}

pub async fn a_manual_runs_next_attempt_keeps_origin_parameters_and_who_asked(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", crate::job::OverlapPolicy::Skip)).await;
    let (grant, _) = scene.taken(&scene.take(accepted.id)).await;
    let row = scene.row(scene.retried(grant, Duration::ZERO).await).await;
    assert_eq!((row.origin, &row.occurrence, row.attempt), (Origin::Manual, &accepted.occurrence, 2));
    assert_eq!((row.params, row.triggered_by), (accepted.params, accepted.triggered_by));
}

pub async fn one_rows_conflict_in_a_batch_is_that_rows_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (second, third) = (scene.beside("second").await, scene.beside("third").await);
    let ended = scene.granted(&scene.claim(1)).await;
    scene.finished(&finish(ended, Status::Succeeded)).await;
    let running = [
        scene.granted(&scene.claim(2)).await,
        second.granted(&second.claim(1)).await,
        third.granted(&third.claim(1)).await,
    ];
    let unknown = Grant { execution_id: ExecutionId(i64::MAX), ..ended };
    let batch = [
        finish(running[2], Status::Succeeded),
        finish(ended, Status::Failed),
        followed(&finish(running[0], Status::Failed), Duration::ZERO),
        finish(unknown, Status::Succeeded),
        finish(Grant { fence: FencingToken(running[1].fence.0 + 1_000), ..running[1] }, Status::Failed),
        finish(running[1], Status::TimedOut),
    ];
    let outcomes = scene.store.finish(&batch).await.expect("the store answers");
    assert_eq!(outcomes.len(), batch.len());
    assert_eq!(outcomes[0], finished(Status::Succeeded));
    assert_eq!(outcomes[1], FinishOutcome::Fenced);
    assert!(
        matches!(outcomes[2], FinishOutcome::Finished { status: Status::Failed, late: false, next: Some(_) }),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[3], FinishOutcome::Fenced);
    assert_eq!(outcomes[4], FinishOutcome::Fenced);
    assert_eq!(outcomes[5], finished(Status::TimedOut));
    assert_eq!(scene.row(ended.execution_id).await.status, Status::Succeeded);
    assert_eq!(scene.row(running[2].execution_id).await.status, Status::Succeeded);
    assert_eq!(scene.store.finish(&[]).await.expect("the store answers"), []);
}

pub async fn an_outcome_twice_in_one_batch_is_written_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let outcome = followed(&finish(grant, Status::Failed), Duration::ZERO);
    let outcomes = scene.store.finish(&[outcome.clone(), outcome]).await.expect("the store answers");
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").attempt, 2);
}

pub async fn an_outcome_is_written_though_the_lease_has_expired(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    harness.expire_lease(grant.execution_id).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert!(scene.recover().await.is_empty());
}

pub async fn an_abandoned_row_takes_its_owners_outcome_late(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.recovered(grant).await;
    let outcome = followed(&finish(grant, Status::Failed), Duration::ZERO);
    let late = FinishOutcome::Finished { status: Status::Failed, late: true, next: None };
    assert_eq!(scene.try_finish(&outcome).await, late);
    let row = scene.row(grant.execution_id).await;
    assert_eq!((row.status, row.late, row.message), (Status::Failed, true, outcome.message.clone()));
    assert!(scene.due().await.is_empty(), "it earns no retry");
    assert_eq!(scene.try_finish(&outcome).await, late, "a repetition after a lost reply");
    assert_eq!(scene.try_finish(&finish(grant, Status::Succeeded)).await, FinishOutcome::Fenced, "it is final now");
    scene.granted(&scene.claim(2)).await;
}

/// R8: whether or not recovery was first.
pub async fn a_claim_without_a_body_earns_its_next_attempt_though_recovery_was_first(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert_eq!(scene.recovered(grant).await.next, None, "it can't know that the body never started");
    let outcome = Finish { reason: Some(Reason::UnknownCommit), ..finish(grant, Status::Abandoned) };
    let outcome = followed(&outcome, Duration::ZERO);
    let next = scene.finished(&outcome).await.expect("its body never started");
    let row = scene.row(grant.execution_id).await;
    assert_eq!((row.status, row.reason, row.late), (Status::Abandoned, Some(Reason::UnknownCommit), false));
    let followed = scene.row(next).await;
    assert_eq!((followed.status, followed.attempt, followed.holds_key), (Status::Pending, 2, false));
    assert_eq!(scene.finished(&outcome).await, Some(next), "a repetition after a lost reply");
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").attempt, 2);
}

pub async fn a_claim_without_a_body_earns_no_attempt_beyond_the_last(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&Claim { max_attempts: 1, ..scene.claim(1) }).await;
    scene.recovered(grant).await;
    let unknown = |grant| Finish { reason: Some(Reason::UnknownCommit), ..finish(grant, Status::Abandoned) };
    assert_eq!(scene.finished(&followed(&unknown(grant), Duration::ZERO)).await, None);
    let grant = scene.granted(&Claim { max_attempts: 1, ..scene.claim(2) }).await;
    assert_eq!(scene.finished(&followed(&unknown(grant), Duration::ZERO)).await, None, "recovery had not come yet");
    assert!(scene.due().await.is_empty());
}

pub async fn an_attempt_may_follow_after_any_time(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let next = scene.retried(grant, Duration::MAX).await;
    assert!(scene.row(next).await.not_before > scene.now().await + chrono::TimeDelta::days(366));
    assert!(scene.due().await.is_empty());
}

pub async fn an_outcome_is_too_late_once_another_attempt_exists(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = Claim { rerun_on_crash: true, ..scene.claim(1) };
    let grant = scene.granted(&claim).await;
    assert!(scene.recovered(grant).await.next.is_some());
    assert_eq!(scene.try_finish(&finish(grant, Status::Succeeded)).await, FinishOutcome::Fenced);
    let row = scene.row(grant.execution_id).await;
    assert_eq!((row.status, row.late), (Status::Abandoned, false));
}

pub async fn a_stranger_can_not_write_an_abandoned_rows_outcome(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.recovered(grant).await;
    let stranger = Grant { fence: FencingToken(grant.fence.0 + 1), ..grant };
    assert_eq!(scene.try_finish(&finish(stranger, Status::Succeeded)).await, FinishOutcome::Fenced);
    assert_eq!(scene.row(grant.execution_id).await.status, Status::Abandoned);
}

pub async fn of_ten_writers_of_one_outcome_one_inserts_the_next_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let writers = (0..10).map(|_| {
        let store = scene.store.attach();
        let outcome = followed(&finish(grant, Status::Failed), Duration::ZERO);
        tokio::spawn(async move { store.finish(&[outcome]).await })
    });
    let mut next = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        for outcome in writer.await.expect("no panic").expect("the store answers") {
            match outcome {
                FinishOutcome::Finished { status: Status::Failed, late: false, next: Some(id) } => next.push(id),
                other => panic!("expected it finished, got {other:?}"),
            }
        }
    }
    next.dedup();
    assert_eq!(next.len(), 1, "{next:?}");
    assert_eq!(scene.newest(scene.at(1)).await.expect("it has rows").attempt, 2);
}
