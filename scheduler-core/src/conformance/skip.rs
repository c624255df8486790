//! Skipping one occurrence that is still to come.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::scene::{Scene, finish, job};
use crate::{
    conformance::StoreHarness,
    execution::Execution,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{
        Actor, BackfillAnswer, BackfillRefusal, BackfillRequest, ClaimOutcome, DecideView, DecidedRow, DecisionPlan,
        Planner, Refusal, SkipOutcome, SkipRequest,
    },
};

/// How far ahead an occurrence lies that a case waits for: a busy server must be asked in time.
const AHEAD: Duration = Duration::from_secs(1);

/// How far ahead one lies that no case waits for.
const FAR: Duration = Duration::from_secs(3_600);

/// Plans nothing, and keeps what it saw.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<DecidedRow>>);

impl Planner for Seen {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&view.rows);
        DecisionPlan::default()
    }
}

/// An occurrence that comes in so long.
async fn in_time(scene: &Scene<'_>, time: Duration) -> DateTime<Utc> {
    let at = scene.now().await + time;
    DateTime::from_timestamp_millis(at.timestamp_millis()).expect("in range")
}

fn request(scene: &Scene<'_>, scheduled_at: DateTime<Utc>) -> SkipRequest {
    let actor = Actor::new("ayu").because("the office is closed");
    SkipRequest { job_id: scene.job.clone(), scheduled_at, actor }
}

async fn skip(scene: &Scene<'_>, at: DateTime<Utc>) -> SkipOutcome {
    scene.store.skip(&request(scene, at)).await.expect("the store answers")
}

/// Skips what must be skipped.
async fn skipped(scene: &Scene<'_>, at: DateTime<Utc>) -> Execution {
    match skip(scene, at).await {
        SkipOutcome::Skipped(row) => *row,
        other => panic!("expected it skipped, got {other:?}"),
    }
}

pub async fn a_skipped_occurrence_has_its_row_ahead_of_its_time(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = in_time(&scene, FAR).await;
    let row = skipped(&scene, at).await;
    assert_eq!(row, scene.row(row.id).await, "the answer is the row");
    assert_eq!((row.status, row.reason), (Status::Skipped, Some(Reason::ByRequest)));
    assert_eq!((&row.occurrence, row.scheduled_at), (&OccurrenceKey::scheduled(at), at));
    assert_eq!((row.origin, row.attempt), (Origin::Schedule, 1));
    assert_eq!((row.triggered_by.as_deref(), row.message.as_deref()), (Some("ayu"), Some("the office is closed")));
    assert!(row.finished_at.is_some() && row.started_at.is_none() && !row.holds_key && row.missed_from.is_none());
    assert_eq!(scene.state().await.watermark, scene.watermark, "its time has not come");
}

pub async fn a_skipped_occurrence_is_not_claimed_when_its_time_comes(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = in_time(&scene, AHEAD).await;
    skipped(&scene, at).await;
    harness.pass(AHEAD).await;
    assert_eq!(scene.try_claim(&scene.claim_at(at)).await, ClaimOutcome::Refused(Refusal::AlreadyDecided));
    let next = scene.granted(&scene.claim_at(at + TimeDelta::milliseconds(1))).await;
    scene.finished(&finish(next, Status::Succeeded)).await;
}

pub async fn a_pass_sees_a_skipped_occurrence_as_decided(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = in_time(&scene, AHEAD).await;
    skipped(&scene, at).await;
    let seen = async || {
        let request = scene.decide_request();
        let planner = Seen::default();
        scene.decide(&request, &planner).await.expect("the store answers").expect("the job is free");
        planner.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    };
    assert_eq!(seen().await, [], "its time has not come");
    harness.pass(AHEAD).await;
    assert_eq!(seen().await, [DecidedRow { scheduled_at: at, missed_from: None }]);
}

pub async fn an_occurrence_that_has_its_row_is_not_skipped(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = in_time(&scene, FAR).await;
    let row = skipped(&scene, at).await;
    assert_eq!(skip(&scene, at).await, SkipOutcome::AlreadyDecided(Box::new(row)));
    let grant = scene.granted(&scene.claim(1)).await;
    let running = scene.row(grant.execution_id).await;
    assert_eq!(skip(&scene, scene.at(1)).await, SkipOutcome::AlreadyDecided(Box::new(running)));
    assert_eq!(scene.rows().await.len(), 2);
}

pub async fn an_occurrence_whose_time_has_come_is_not_skipped(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for at in [scene.at(1), scene.watermark - TimeDelta::hours(1)] {
        assert_eq!(skip(&scene, at).await, SkipOutcome::Due);
    }
    assert!(scene.rows().await.is_empty());
    // Nor does a backfill bring back what is skipped before its time has come.
    let at = in_time(&scene, AHEAD).await;
    skipped(&scene, at).await;
    let backfill = BackfillRequest {
        job_id: scene.job.clone(),
        occurrences: vec![at],
        retries: 0,
        dry_run: false,
        actor: Actor::new("ayu"),
    };
    let answers = async || scene.store.backfill(&backfill).await.expect("the store answers").expect("it is known");
    assert_eq!(answers().await, [BackfillAnswer::Refused(BackfillRefusal::Undecided)]);
    harness.pass(AHEAD).await;
    assert!(matches!(answers().await[..], [BackfillAnswer::Waits { attempt: 2, .. }]));
}

pub async fn an_unknown_jobs_occurrence_is_not_skipped(harness: &dyn StoreHarness) {
    let scene = Scene { job: job("never-announced"), ..Scene::new(harness).await };
    let at = in_time(&scene, FAR).await;
    assert_eq!(skip(&scene, at).await, SkipOutcome::UnknownJob);
    assert!(scene.rows().await.is_empty());
}

pub async fn of_ten_who_skip_at_once_one_does(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = in_time(&scene, FAR).await;
    let askers = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), request(&scene, at));
        tokio::spawn(async move { store.skip(&request).await })
    });
    let (mut count, mut ids) = (0, Vec::new());
    for asker in askers.collect::<Vec<_>>() {
        match asker.await.expect("no panic").expect("the store answers") {
            SkipOutcome::Skipped(row) => {
                count += 1;
                ids.push(row.id);
            }
            SkipOutcome::AlreadyDecided(row) => ids.push(row.id),
            other => panic!("{other:?}"),
        }
    }
    ids.dedup();
    assert_eq!((count, ids.len()), (1, 1));
}
