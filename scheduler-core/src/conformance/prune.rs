//! Deleting rows that nobody needs (R21).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::scene::{Scene, finish};
use crate::{
    conformance::StoreHarness,
    identity::ExecutionId,
    job::OverlapPolicy,
    occurrence::OccurrenceKey,
    status::Status,
    store::{
        Actor, BackfillAnswer, BackfillRefusal, BackfillRequest, ClaimOutcome, DecideView, DecisionPlan, Planner,
        PruneRequest, Pruned, Refusal,
    },
};

/// Moves the watermark to an instant, and decides nothing.
#[derive(Debug)]
struct MoveTo(DateTime<Utc>);

impl Planner for MoveTo {
    fn plan(&self, _: &DecideView) -> DecisionPlan {
        DecisionPlan { watermark: Some(self.0), ..DecisionPlan::default() }
    }
}

async fn move_watermark(scene: &Scene<'_>, to: DateTime<Utc>) {
    let request = scene.decide_request();
    scene.decide(&request, &MoveTo(to)).await.expect("the store answers").expect("the job is free");
}

/// Runs occurrences that succeed; their rows, oldest first.
async fn ran(scene: &Scene<'_>, millis: std::ops::RangeInclusive<i64>) -> Vec<ExecutionId> {
    let mut rows = Vec::new();
    for millis in millis {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
        rows.push(grant.execution_id);
    }
    rows
}

/// A bound that lies behind every row.
async fn later(scene: &Scene<'_>) -> DateTime<Utc> {
    scene.now().await + TimeDelta::hours(1)
}

async fn prune(scene: &Scene<'_>, before: DateTime<Utc>, limit: usize) -> Pruned {
    let request = PruneRequest { job_id: Some(scene.job.clone()), before, limit };
    scene.store.prune(&request).await.expect("the store answers")
}

async fn ids(scene: &Scene<'_>) -> Vec<ExecutionId> {
    scene.rows().await.iter().map(|row| row.id).collect()
}

async fn backfill(scene: &Scene<'_>, occurrences: &[DateTime<Utc>]) -> Vec<BackfillAnswer> {
    let request = BackfillRequest {
        job_id: scene.job.clone(),
        occurrences: occurrences.to_vec(),
        retries: 0,
        dry_run: true,
        actor: Actor::new("ayu"),
    };
    scene.store.backfill(&request).await.expect("the store answers").expect("the job is known")
}

pub async fn final_rows_made_before_the_bound_go_and_later_ones_stay(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    ran(&scene, 1..=3).await;
    harness.pass(Duration::from_millis(50)).await;
    let bound = scene.now().await;
    let later = ran(&scene, 4..=5).await;
    move_watermark(&scene, scene.at(10)).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(3, false));
    assert_eq!(ids(&scene).await, later);
    assert_eq!(scene.store.execution(ExecutionId(later[0].0 - 1)).await.expect("the store answers"), None);
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(0, false));
    let latest = scene.store.latest(std::slice::from_ref(&scene.job)).await.expect("the store answers");
    assert_eq!(latest[0].id, later[1]);
}

pub async fn rows_whose_instant_lies_at_the_bound_or_later_stay(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=3).await;
    move_watermark(&scene, scene.at(10)).await;
    // They were made after their instants: the later of the two is what counts.
    assert_eq!(prune(&scene, scene.at(2), 100).await, Pruned::new(0, false));
    assert_eq!(ids(&scene).await, rows);
    harness.pass(Duration::from_millis(5)).await;
    assert_eq!(prune(&scene, scene.now().await, 100).await.rows, 3);
}

pub async fn a_schedules_rows_above_the_watermark_stay(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=4).await;
    let bound = later(&scene).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(0, false));
    move_watermark(&scene, scene.at(2)).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(2, false));
    assert_eq!(ids(&scene).await, rows[2..]);
}

pub async fn a_requests_rows_go_whatever_the_watermark(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let accepted = scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
    let (grant, _) = scene.taken(&scene.take(accepted.id)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(prune(&scene, later(&scene).await, 100).await, Pruned::new(1, false));
    assert!(scene.rows().await.is_empty());
    assert_eq!(scene.state().await.prune_horizon, None, "no occurrence of the schedule has lost its row");
    scene.accepted(&scene.manual("key", OverlapPolicy::Skip)).await;
}

pub async fn open_rows_stay_and_so_do_earlier_attempts_of_their_occurrence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    let retry = scene.retried(grant, Duration::ZERO).await;
    move_watermark(&scene, scene.at(10)).await;
    let bound = later(&scene).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(0, false), "the retry waits");
    let (again, _) = scene.taken(&scene.take(retry)).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(0, false), "the retry runs");
    scene.finished(&finish(again, Status::Failed)).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(2, false));
}

pub async fn rows_of_other_jobs_stay_where_one_is_named(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    ran(&scene, 1..=2).await;
    let others = ran(&beside, 1..=2).await;
    for scene in [&scene, &beside] {
        move_watermark(scene, scene.at(10)).await;
    }
    let bound = later(&scene).await;
    assert_eq!(prune(&scene, bound, 100).await, Pruned::new(2, false));
    assert_eq!(ids(&beside).await, others);
    assert_eq!(beside.state().await.prune_horizon, None);
    let all = PruneRequest { job_id: None, before: bound, limit: 100 };
    assert_eq!(scene.store.prune(&all).await.expect("the store answers"), Pruned::new(2, false));
    assert!(ids(&beside).await.is_empty());
    assert_eq!(beside.state().await.prune_horizon, scene.state().await.prune_horizon);
}

pub async fn the_oldest_rows_go_first_up_to_the_limit(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let rows = ran(&scene, 1..=5).await;
    move_watermark(&scene, scene.at(10)).await;
    let bound = later(&scene).await;
    assert_eq!(prune(&scene, bound, 2).await, Pruned::new(2, true));
    assert_eq!(ids(&scene).await, rows[2..]);
    let all = PruneRequest { job_id: None, before: bound, limit: 2 };
    assert_eq!(scene.store.prune(&all).await.expect("the store answers"), Pruned::new(2, true));
    assert_eq!(ids(&scene).await, rows[4..]);
    assert_eq!(prune(&scene, bound, 2).await, Pruned::new(1, false));
}

pub async fn what_was_pruned_can_neither_be_claimed_nor_backfilled(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    ran(&scene, 1..=2).await;
    move_watermark(&scene, scene.at(10)).await;
    prune(&scene, later(&scene).await, 100).await;
    let newest = scene.store.newest_attempt(&scene.job, &OccurrenceKey::scheduled(scene.at(1))).await;
    assert_eq!(newest.expect("the store answers"), None);
    assert_eq!(scene.try_claim(&scene.claim(1)).await, ClaimOutcome::Refused(Refusal::Passed));
    assert_eq!(backfill(&scene, &[scene.at(1)]).await, [BackfillAnswer::Refused(BackfillRefusal::Pruned)]);
}

pub async fn the_horizon_moves_with_what_is_deleted_and_never_back(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let bound = |hours| scene.watermark + TimeDelta::hours(hours);
    assert_eq!(prune(&scene, bound(3), 100).await, Pruned::new(0, false));
    assert_eq!(scene.state().await.prune_horizon, None, "nothing was deleted");
    for (millis, before, horizon) in [(1, bound(2), bound(2)), (2, bound(1), bound(2)), (3, bound(3), bound(3))] {
        ran(&scene, millis..=millis).await;
        move_watermark(&scene, scene.at(millis)).await;
        assert_eq!(prune(&scene, before, 100).await.rows, 1);
        assert_eq!(scene.state().await.prune_horizon, Some(horizon));
    }
}

pub async fn what_lies_at_the_horizon_or_later_is_backfilled(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    ran(&scene, 1..=1).await;
    harness.pass(Duration::from_millis(50)).await;
    let horizon = DateTime::from_timestamp_millis(scene.now().await.timestamp_millis()).expect("in range");
    harness.pass(Duration::from_millis(50)).await;
    move_watermark(&scene, horizon + TimeDelta::milliseconds(20)).await;
    assert_eq!(prune(&scene, horizon, 100).await.rows, 1);
    let below = horizon - TimeDelta::milliseconds(1);
    let answers = backfill(&scene, &[below, horizon]).await;
    let [BackfillAnswer::Refused(BackfillRefusal::Pruned), BackfillAnswer::Waits { attempt: 1, .. }] = answers[..]
    else {
        panic!("{answers:?}")
    };
}

pub async fn of_ten_who_prune_at_once_each_row_is_deleted_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    ran(&scene, 1..=20).await;
    move_watermark(&scene, scene.at(30)).await;
    let before = later(&scene).await;
    let pruners = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), PruneRequest { job_id: None, before, limit: 100 });
        tokio::spawn(async move { store.prune(&request).await })
    });
    let mut rows = 0;
    for pruner in pruners.collect::<Vec<_>>() {
        rows += pruner.await.expect("no panic").expect("the store answers").rows;
    }
    assert_eq!(rows, 20);
    assert!(scene.rows().await.is_empty());
}
