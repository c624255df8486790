//! Running what never ran (R20).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::scene::{Scene, announce, announcement, finish, job};
use crate::{
    conformance::StoreHarness,
    execution::Execution,
    identity::ExecutionId,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{
        Actor, Announcement, BackfillAnswer, BackfillRefusal, BackfillRequest, ClaimOutcome, DecideView, DecisionPlan,
        GrowRange, PlannedRow, Planner,
    },
};

/// Plans what a case says.
#[derive(Debug)]
struct Fixed(DecisionPlan);

impl Planner for Fixed {
    fn plan(&self, _: &DecideView) -> DecisionPlan {
        self.0.clone()
    }
}

async fn decide(scene: &Scene<'_>, plan: DecisionPlan) {
    let request = scene.decide_request();
    scene.decide(&request, &Fixed(plan)).await.expect("the store answers").expect("the job is free");
}

/// Records the occurrences of every tenth millisecond, from 10 to 50, as one missed range, and moves the watermark to 60.
async fn missed(scene: &Scene<'_>) -> Execution {
    let range = PlannedRow::Range {
        status: Status::Missed,
        reason: Reason::Deadline,
        missed_from: scene.at(10),
        scheduled_at: scene.at(50),
        missed_count: 5,
    };
    decide(scene, DecisionPlan { rows: vec![range], watermark: Some(scene.at(60)), ..DecisionPlan::default() }).await;
    scene.newest(scene.at(50)).await.expect("the range has its last instant's key")
}

fn request(scene: &Scene<'_>, occurrences: &[DateTime<Utc>]) -> BackfillRequest {
    BackfillRequest {
        job_id: scene.job.clone(),
        occurrences: occurrences.to_vec(),
        retries: 3,
        dry_run: false,
        actor: Actor::new("ayu").because("the outage of tuesday"),
    }
}

async fn backfill(scene: &Scene<'_>, occurrences: &[DateTime<Utc>]) -> Vec<BackfillAnswer> {
    let answer = scene.store.backfill(&request(scene, occurrences)).await;
    let answers = answer.expect("the store answers").expect("the job is known");
    assert_eq!(answers.len(), occurrences.len());
    answers
}

/// Backfills what must be written.
async fn backfilled(scene: &Scene<'_>, at: DateTime<Utc>) -> (u32, ExecutionId) {
    match backfill(scene, &[at]).await[0] {
        BackfillAnswer::Waits { attempt, execution_id: Some(id) } => (attempt, id),
        other => panic!("expected a row, got {other:?}"),
    }
}

const fn refused(refusal: BackfillRefusal) -> BackfillAnswer {
    BackfillAnswer::Refused(refusal)
}

pub async fn an_occurrence_within_a_missed_range_gets_its_first_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let range = missed(&scene).await;
    let before = scene.now().await;
    let (attempt, id) = backfilled(&scene, scene.at(30)).await;
    assert_eq!(attempt, 1);
    let row = scene.row(id).await;
    assert_eq!((&row.job_id, &row.occurrence), (&scene.job, &OccurrenceKey::scheduled(scene.at(30))));
    assert_eq!((row.status, row.origin, row.scheduled_at), (Status::Pending, Origin::Backfill, scene.at(30)));
    assert_eq!((row.attempt, row.max_attempts), (1, 4));
    assert_eq!((row.triggered_by.as_deref(), row.reason, row.params.clone()), (Some("ayu"), None, None));
    assert!(!row.holds_key && !row.queued);
    assert!(before <= row.not_before && row.not_before <= scene.now().await, "it may be taken now");
    assert_eq!(scene.row(range.id).await, range, "the range stays as it is: where both cover it, the own row counts");
    assert_eq!(scene.due_ids().await, [id]);
}

pub async fn the_last_occurrence_of_a_range_gets_its_next_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let range = missed(&scene).await;
    let (attempt, id) = backfilled(&scene, scene.at(50)).await;
    assert_eq!(attempt, 2, "the range has its key");
    let row = scene.row(id).await;
    assert_eq!((row.attempt, row.max_attempts, row.missed_from), (2, 5, None));
    assert_eq!(scene.newest(scene.at(50)).await, Some(row));
    assert_eq!(scene.row(range.id).await, range);
}

pub async fn a_skipped_occurrence_gets_its_next_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&scene.claim(1)).await;
    let ClaimOutcome::Skipped { .. } = scene.try_claim(&scene.claim(2)).await else { panic!("it was not skipped") };
    let (attempt, id) = backfilled(&scene, scene.at(2)).await;
    assert_eq!(attempt, 2);
    let row = scene.row(id).await;
    assert_eq!((row.origin, row.attempt, row.max_attempts), (Origin::Backfill, 2, 5));
    assert!(scene.due().await.is_empty(), "the key is held");
    scene.finished(&finish(holder, Status::Succeeded)).await;
    let (_, taken) = scene.taken(&scene.take(id)).await;
    assert_eq!((taken.attempt, taken.holds_key), (2, true));
}

pub async fn an_occurrence_of_before_the_job_was_known_gets_its_first_attempt(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let long_ago = scene.watermark - TimeDelta::days(30);
    let at = DateTime::from_timestamp_millis(long_ago.timestamp_millis()).expect("in range");
    let (attempt, id) = backfilled(&scene, at).await;
    assert_eq!((attempt, scene.row(id).await.scheduled_at), (1, at));
}

pub async fn what_waits_runs_or_has_run_is_refused_and_named(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let mut expected = Vec::new();
    let ends = [Status::Succeeded, Status::Failed, Status::TimedOut, Status::Cancelled, Status::Abandoned];
    for (millis, status) in (1..).zip(ends) {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, status)).await;
        expected.push((grant.execution_id, status));
    }
    let grant = scene.granted(&scene.claim(6)).await;
    expected.push((scene.retried(grant, Duration::ZERO).await, Status::Pending));
    let (grant, _) = scene.taken(&scene.take(expected[5].0)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    expected[5].1 = Status::Succeeded;
    let running = scene.granted(&scene.claim(7)).await;
    expected.push((running.execution_id, Status::Running));
    let occurrences: Vec<_> = (1..=7).map(|millis| scene.at(millis)).collect();
    let rows = scene.rows().await;
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(execution_id, status)| refused(BackfillRefusal::HasRun { execution_id, status }))
        .collect();
    assert_eq!(backfill(&scene, &occurrences).await, expected, "by the newest attempt of each");
    assert_eq!(scene.rows().await, rows);
    missed(&scene).await;
    let (_, id) = backfilled(&scene, scene.at(30)).await;
    let pending = BackfillRefusal::HasRun { execution_id: id, status: Status::Pending };
    assert_eq!(backfill(&scene, &[scene.at(30)]).await, [refused(pending)]);
}

pub async fn what_is_not_decided_yet_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let to_come = scene.now().await + TimeDelta::hours(1);
    let occurrences = [scene.at(20), DateTime::from_timestamp_millis(to_come.timestamp_millis()).expect("in range")];
    assert_eq!(backfill(&scene, &occurrences).await, [refused(BackfillRefusal::Undecided); 2]);
    assert!(scene.rows().await.is_empty());
    scene.granted(&scene.claim(20)).await;
}

pub async fn a_dry_run_answers_the_same_and_writes_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    missed(&scene).await;
    let rows = scene.rows().await;
    let occurrences = [scene.at(20), scene.at(50), scene.at(100)];
    let dry = BackfillRequest { dry_run: true, ..request(&scene, &occurrences) };
    let answers = scene.store.backfill(&dry).await.expect("the store answers").expect("the job is known");
    let waits = |attempt| BackfillAnswer::Waits { attempt, execution_id: None };
    assert_eq!(answers, [waits(1), waits(2), refused(BackfillRefusal::Undecided)]);
    assert_eq!(scene.rows().await, rows);
}

pub async fn each_occurrence_of_a_backfill_is_answered_in_its_place(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    missed(&scene).await;
    let occurrences = [scene.at(100), scene.at(20), scene.at(50), scene.at(20)];
    let answers = backfill(&scene, &occurrences).await;
    let [BackfillAnswer::Refused(BackfillRefusal::Undecided), first, last, again] = answers[..] else {
        panic!("{answers:?}")
    };
    let BackfillAnswer::Waits { attempt: 1, execution_id: Some(id) } = first else { panic!("{first:?}") };
    assert!(matches!(last, BackfillAnswer::Waits { attempt: 2, .. }), "{last:?}");
    let status = Status::Pending;
    assert_eq!(again, refused(BackfillRefusal::HasRun { execution_id: id, status }), "the second finds the first");
    assert_eq!(backfill(&scene, &[]).await, []);
}

pub async fn an_unknown_job_is_not_backfilled(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let unknown = BackfillRequest { job_id: job("never-announced"), ..request(&scene, &[scene.at(1)]) };
    assert_eq!(scene.store.backfill(&unknown).await.expect("the store answers"), None);
}

pub async fn backfilled_occurrences_run_oldest_first_whether_or_not_the_schedule_does(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    missed(&scene).await;
    for millis in [40, 20, 30] {
        backfilled(&scene, scene.at(millis)).await;
    }
    scene.pause().await;
    let disabled = Announcement { enabled: false, ..announcement(&scene.job, "disabled") };
    announce(&*scene.store, scene.instance, &disabled).await;
    for millis in [20, 30, 40] {
        let due = scene.due().await;
        assert_eq!((due.len(), due[0].scheduled_at, due[0].origin), (1, scene.at(millis), Origin::Backfill));
        let (grant, _) = scene.taken(&scene.take(due[0].execution_id)).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
    }
    assert!(scene.due().await.is_empty());
}

pub async fn a_backfilled_run_may_fail_and_be_followed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    missed(&scene).await;
    let (_, id) = backfilled(&scene, scene.at(30)).await;
    let (grant, _) = scene.taken(&scene.take(id)).await;
    let next = scene.row(scene.retried(grant, Duration::ZERO).await).await;
    assert_eq!((next.origin, next.attempt, next.max_attempts), (Origin::Backfill, 2, 4));
    assert_eq!(next.triggered_by.as_deref(), Some("ayu"));
}

pub async fn a_range_that_grows_leaves_what_was_backfilled_of_it(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let range = missed(&scene).await;
    let (_, id) = backfilled(&scene, scene.at(50)).await;
    let grow = GrowRange { execution_id: range.id, scheduled_at: scene.at(70), added: 2 };
    decide(&scene, DecisionPlan { grow: Some(grow), watermark: Some(scene.at(75)), ..DecisionPlan::default() }).await;
    let row = scene.newest(scene.at(50)).await.expect("it was backfilled");
    assert_eq!((row.id, row.attempt, row.status), (id, 2, Status::Pending));
    assert_eq!(scene.newest(scene.at(70)).await.expect("the range's key").id, range.id);
    let refusal = BackfillRefusal::HasRun { execution_id: id, status: Status::Pending };
    assert_eq!(backfill(&scene, &[scene.at(50)]).await, [refused(refusal)]);
    let (grant, _) = scene.taken(&scene.take(id)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
}

pub async fn of_ten_who_backfill_at_once_each_occurrence_is_written_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    missed(&scene).await;
    let occurrences = [10, 20, 30, 40].map(|millis| scene.at(millis));
    let askers = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), request(&scene, &occurrences));
        tokio::spawn(async move { store.backfill(&request).await })
    });
    let mut written = 0;
    for asker in askers.collect::<Vec<_>>() {
        let answers = asker.await.expect("no panic").expect("the store answers").expect("the job is known");
        written += answers.iter().filter(|answer| matches!(answer, BackfillAnswer::Waits { .. })).count();
    }
    assert_eq!((written, scene.rows().await.len()), (4, 5));
}
