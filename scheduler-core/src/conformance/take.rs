//! Pending rows: which are due, and their start (R2, R16).

use std::time::Duration;

use super::scene::{LEASE, Scene, finish, followed};
use crate::{
    conformance::StoreHarness,
    identity::{ExecutionId, InstanceId},
    job::OverlapPolicy,
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::{
        Claim, ClaimOutcome, DecideView, DecisionPlan, DueRequest, Finish, NextAttempt, PlannedRow, Planner, Refusal,
        TakeOutcome, TakeRequest,
    },
};

/// Long enough for a retry to be seen waiting.
const DELAY: Duration = Duration::from_millis(300);

/// A retry that holds the key and waits.
async fn waiting_retry(scene: &Scene<'_>, millis: i64, after: Duration) -> ExecutionId {
    let grant = scene.granted(&scene.claim(millis)).await;
    scene.retried(grant, after).await
}

/// A pending row that holds nothing: what followed a run which had no key.
async fn loose_retry(scene: &Scene<'_>, millis: i64) -> ExecutionId {
    let claim = Claim { overlap: OverlapPolicy::Allow, ..scene.claim(millis) };
    let grant = scene.granted(&claim).await;
    let next = Some(NextAttempt { after: Duration::ZERO, holds_key: false });
    scene.finished(&Finish { next, ..finish(grant, Status::Failed) }).await.expect("an attempt follows")
}

fn refused(refusal: Refusal) -> TakeOutcome {
    TakeOutcome::Refused(refusal)
}

pub async fn a_take_starts_a_pending_row(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, Duration::ZERO).await;
    let request = TakeRequest { instance: InstanceId::random(), ..scene.take(id) };
    let (grant, execution) = scene.taken(&request).await;
    assert_eq!(grant.execution_id, id);
    assert_eq!(execution, scene.row(id).await, "the answer is the row as it stands");
    assert_eq!((execution.status, execution.attempt), (Status::Running, 2));
    assert_eq!(execution.started_at, Some(grant.started_at));
    assert_eq!((execution.fence, execution.claim_id), (Some(grant.fence), Some(request.claim_id)));
    assert_eq!(execution.instance, Some(request.instance));
    assert!(execution.holds_key);
    assert!(scene.due().await.is_empty());
    assert!(scene.renew(grant, LEASE).await.is_some(), "it has a lease");
}

pub async fn a_row_is_taken_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, Duration::ZERO).await;
    let (grant, _) = scene.taken(&scene.take(id)).await;
    assert_eq!(scene.try_take(&scene.take(id)).await, refused(Refusal::NotPending));
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(scene.try_take(&scene.take(id)).await, refused(Refusal::NotPending));
    assert_eq!(scene.row(id).await.status, Status::Succeeded);
}

pub async fn of_ten_takers_one_is_granted_a_row(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for round in 1..=5 {
        let id = waiting_retry(&scene, round, Duration::ZERO).await;
        let takers = (0..10).map(|_| {
            let store = scene.store.attach();
            let request = TakeRequest { instance: InstanceId::random(), ..scene.take(id) };
            tokio::spawn(async move { store.take(&[request]).await })
        });
        let mut outcomes = Vec::new();
        for taker in takers.collect::<Vec<_>>() {
            outcomes.extend(taker.await.expect("no panic").expect("the store answers"));
        }
        let granted: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                TakeOutcome::Granted { grant, .. } => Some(*grant),
                TakeOutcome::Refused(_) => None,
            })
            .collect();
        assert_eq!(granted.len(), 1, "{outcomes:?}");
        scene.finished(&finish(granted[0], Status::Succeeded)).await;
    }
}

pub async fn a_take_repeated_with_its_id_is_granted_again_with_the_same_fence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, Duration::ZERO).await;
    let request = scene.take(id);
    let (first, _) = scene.taken(&request).await;
    let (again, execution) = scene.taken(&request).await;
    assert_eq!(again, first);
    assert_eq!(execution, scene.row(id).await);
}

pub async fn a_repeated_take_is_refused_once_its_run_has_ended(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, Duration::ZERO).await;
    let request = scene.take(id);
    let (grant, _) = scene.taken(&request).await;
    scene.recovered(grant).await;
    assert_eq!(scene.try_take(&request).await, refused(Refusal::NotPending));
}

pub async fn a_row_that_is_not_there_is_not_taken(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    assert_eq!(scene.try_take(&scene.take(ExecutionId(i64::MAX))).await, refused(Refusal::NotPending));
}

pub async fn a_row_is_neither_due_nor_taken_before_its_time(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, DELAY).await;
    assert!(scene.due().await.is_empty());
    match scene.try_take(&scene.take(id)).await {
        TakeOutcome::Refused(Refusal::NotDue { remaining }) => {
            assert!(remaining <= DELAY && !remaining.is_zero(), "{remaining:?}");
        }
        other => panic!("expected `NotDue`, got {other:?}"),
    }
    harness.pass(DELAY).await;
    assert_eq!(scene.due_ids().await, [id]);
    scene.taken(&scene.take(id)).await;
}

pub async fn a_due_row_says_what_it_is(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, Duration::ZERO).await;
    let due = scene.due().await;
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!((due[0].execution_id, &due[0].job_id), (id, &scene.job));
    assert_eq!((due[0].origin, due[0].scheduled_at), (Origin::Schedule, scene.at(1)));
}

pub async fn a_job_has_one_due_row_at_a_time_its_oldest_occurrence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = loose_retry(&scene, 9).await;
    let older = loose_retry(&scene, 3).await;
    assert_eq!(scene.due_ids().await, [older]);
    let allow = |id| TakeRequest { holds_key: false, ..scene.take(id) };
    scene.taken(&allow(older)).await;
    assert_eq!(scene.due_ids().await, [newer], "without a key they run side by side");
    scene.taken(&allow(newer)).await;
    assert!(scene.due().await.is_empty());
}

/// Rows that are caught up, of the occurrences of these milliseconds, in their order.
async fn caught_up(scene: &Scene<'_>, millis: &[i64]) -> Vec<ExecutionId> {
    let catch_up =
        |at| PlannedRow::CatchUp { occurrence: OccurrenceKey::scheduled(at), scheduled_at: at, max_attempts: 3 };
    let rows = millis.iter().map(|millis| catch_up(scene.at(*millis))).collect();
    let request = scene.decide_request();
    scene.decide(&request, &Fixed(DecisionPlan { rows, ..DecisionPlan::default() })).await.expect("decided");
    let mut ids = Vec::new();
    for millis in millis {
        ids.push(scene.newest(scene.at(*millis)).await.expect("it was decided").id);
    }
    ids
}

/// Plans what a case says.
#[derive(Debug)]
struct Fixed(DecisionPlan);

impl Planner for Fixed {
    fn plan(&self, _: &DecideView) -> DecisionPlan {
        self.0.clone()
    }
}

/// A take of a row that holds no key, of which this many run at once.
fn beside(scene: &Scene<'_>, id: ExecutionId, most: u32) -> TakeRequest {
    TakeRequest { holds_key: false, at_once: Some(most), ..scene.take(id) }
}

/// R17: at most `catch_up_limit` at once.
pub async fn under_allow_caught_up_rows_run_side_by_side_up_to_the_limit(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let ids = caught_up(&scene, &[10, 20, 30, 40]).await;
    let mut running = Vec::new();
    for id in &ids[..2] {
        assert_eq!(scene.due_ids().await, [*id], "the oldest first");
        running.push(scene.taken(&beside(&scene, *id, 2)).await.0);
    }
    assert_eq!(scene.try_take(&beside(&scene, ids[2], 2)).await, refused(Refusal::Full));
    let both = [beside(&scene, ids[2], 2), beside(&scene, ids[3], 2)];
    let outcomes = scene.store.take(&both).await.expect("the store answers");
    assert_eq!(outcomes, [refused(Refusal::Full), refused(Refusal::Full)]);
    scene.finished(&finish(running[0], Status::Succeeded)).await;
    scene.taken(&beside(&scene, ids[2], 2)).await;
    assert_eq!(scene.try_take(&beside(&scene, ids[3], 2)).await, refused(Refusal::Full));
    scene.taken(&beside(&scene, ids[3], 3)).await;
}

pub async fn caught_up_rows_that_wait_for_a_place_hide_no_other_row(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let ids = caught_up(&scene, &[10, 20]).await;
    scene.taken(&beside(&scene, ids[0], 1)).await;
    let retry = loose_retry(&scene, 30).await;
    assert_eq!(scene.due_ids().await, [ids[1], retry]);
    let outcomes = [beside(&scene, ids[1], 1), TakeRequest { holds_key: false, ..scene.take(retry) }];
    let outcomes = scene.store.take(&outcomes).await.expect("the store answers");
    assert_eq!(outcomes[0], refused(Refusal::Full));
    assert!(matches!(&outcomes[1], TakeOutcome::Granted { execution, .. } if execution.id == retry), "{outcomes:?}");
    let other = scene.beside("beside").await;
    let theirs = caught_up(&other, &[10]).await;
    other.taken(&beside(&other, theirs[0], 1)).await;
}

/// R17: over all who take.
pub async fn of_ten_takers_at_once_as_many_rows_run_as_may(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let millis: Vec<i64> = (1..=10).map(|nth| nth * 10).collect();
    let takers = caught_up(&scene, &millis).await.into_iter().map(|id| {
        let store = scene.store.attach();
        let request = TakeRequest { instance: InstanceId::random(), ..beside(&scene, id, 3) };
        tokio::spawn(async move { store.take(&[request]).await })
    });
    let mut outcomes = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        outcomes.extend(taker.await.expect("no panic").expect("the store answers"));
    }
    let granted = outcomes.iter().filter(|outcome| matches!(outcome, TakeOutcome::Granted { .. })).count();
    assert_eq!(granted, 3, "{outcomes:?}");
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, TakeOutcome::Granted { .. } | TakeOutcome::Refused(Refusal::Full)))
    );
}

pub async fn due_rows_of_several_jobs_come_oldest_occurrence_first_up_to_the_limit(harness: &dyn StoreHarness) {
    let first = Scene::new(harness).await;
    let second = first.beside("beside").await;
    let third = first.beside("again").await;
    // Announced one after the other, so their occurrences lie one after the other.
    let newest = waiting_retry(&third, 1, Duration::ZERO).await;
    let middle = waiting_retry(&second, 1, Duration::ZERO).await;
    let oldest = waiting_retry(&first, 1, Duration::ZERO).await;
    assert_eq!(first.due_ids().await, [oldest, middle, newest]);
    let two: Vec<_> = first.store.due(&first.due_request(2)).await.expect("the store answers");
    assert_eq!(two.iter().map(|due| due.execution_id).collect::<Vec<_>>(), [oldest, middle]);
}

pub async fn what_is_due_is_read_on_after_a_row(harness: &dyn StoreHarness) {
    let first = Scene::new(harness).await;
    let second = first.beside("beside").await;
    let newer = waiting_retry(&second, 1, Duration::ZERO).await;
    let older = waiting_retry(&first, 1, Duration::ZERO).await;
    let mut after = None;
    let mut seen = Vec::new();
    while let Some(due) =
        first.store.due(&DueRequest { after, ..first.due_request(1) }).await.expect("the store answers").pop()
    {
        after = Some(due.place());
        seen.push(due.execution_id);
    }
    assert_eq!(seen, [older, newer]);
}

pub async fn a_row_whose_key_is_held_is_not_due_and_goes_on_waiting(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let waiting = loose_retry(&scene, 1).await;
    let holder = scene.granted(&scene.claim(2)).await;
    assert!(scene.due().await.is_empty());
    assert_eq!(scene.try_take(&scene.take(waiting)).await, refused(Refusal::Held));
    let row = scene.row(waiting).await;
    assert_eq!((row.status, row.fence, row.started_at), (Status::Pending, None, None));
    scene.finished(&finish(holder, Status::Succeeded)).await;
    assert_eq!(scene.due_ids().await, [waiting]);
    assert!(scene.taken(&scene.take(waiting)).await.1.holds_key);
}

/// R16: a waiting retry counts as running.
pub async fn a_waiting_retry_holds_the_key(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let retry = waiting_retry(&scene, 1, DELAY).await;
    let row = scene.row(retry).await;
    assert!(row.holds_key && !row.queued);
    assert!(matches!(scene.try_claim(&scene.claim(2)).await, ClaimOutcome::Skipped { .. }));
    harness.pass(DELAY).await;
    assert_eq!(scene.due_ids().await, [retry], "the key is its own");
    scene.taken(&scene.take(retry)).await;
}

pub async fn a_waiting_retry_keeps_other_rows_of_its_job_from_being_due(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let loose = loose_retry(&scene, 1).await;
    let retry = waiting_retry(&scene, 2, DELAY).await;
    assert!(scene.due().await.is_empty());
    assert_eq!(scene.try_take(&scene.take(loose)).await, refused(Refusal::Held));
    harness.pass(DELAY).await;
    assert_eq!(scene.due_ids().await, [retry]);
}

pub async fn rows_of_a_paused_job_wait(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let id = waiting_retry(&scene, 1, Duration::ZERO).await;
    scene.pause().await;
    assert!(scene.due().await.is_empty());
    assert_eq!(scene.try_take(&scene.take(id)).await, refused(Refusal::Paused));
    assert_eq!(scene.row(id).await.status, Status::Pending);
    scene.resume().await;
    assert_eq!(scene.due_ids().await, [id]);
    scene.taken(&scene.take(id)).await;
}

pub async fn a_manual_row_of_a_paused_job_is_due_and_taken(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let scheduled = loose_retry(&scene, 1).await;
    scene.pause().await;
    let manual = scene.accepted(&scene.manual("now", OverlapPolicy::Allow)).await;
    assert_eq!(scene.due_ids().await, [manual.id], "the older row waits and does not stand in its way");
    scene.taken(&scene.take(manual.id)).await;
    assert_eq!(scene.row(scheduled).await.status, Status::Pending);
}

pub async fn one_takes_refusal_leaves_the_others_of_its_batch(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (beside, held) = (scene.beside("beside").await, scene.beside("held").await);
    let retry = waiting_retry(&scene, 1, Duration::ZERO).await;
    let other = waiting_retry(&beside, 1, Duration::ZERO).await;
    let blocked = loose_retry(&held, 1).await;
    held.granted(&held.claim(2)).await;
    let batch = [scene.take(ExecutionId(i64::MAX)), beside.take(other), held.take(blocked), scene.take(retry)];
    let outcomes = scene.store.take(&batch).await.expect("the store answers");
    assert_eq!(outcomes.len(), batch.len());
    assert_eq!(outcomes[0], refused(Refusal::NotPending));
    assert!(matches!(&outcomes[1], TakeOutcome::Granted { execution, .. } if execution.id == other), "{outcomes:?}");
    assert_eq!(outcomes[2], refused(Refusal::Held));
    assert!(matches!(&outcomes[3], TakeOutcome::Granted { execution, .. } if execution.id == retry), "{outcomes:?}");
}

pub async fn of_two_rows_of_one_job_in_a_batch_one_is_taken(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (first, second) = (loose_retry(&scene, 1).await, loose_retry(&scene, 2).await);
    let outcomes = scene.store.take(&[scene.take(first), scene.take(second)]).await.expect("the store answers");
    assert!(matches!(&outcomes[0], TakeOutcome::Granted { .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], refused(Refusal::Held));
    assert_eq!(scene.row(second).await.status, Status::Pending);
}

pub async fn a_row_is_taken_whatever_its_revision_and_watermark(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene
        .granted(&Claim { deadline: scene.now().await + chrono::TimeDelta::milliseconds(200), ..scene.claim(1) })
        .await;
    let retry = scene.finished(&followed(&finish(grant, Status::Failed), DELAY)).await.expect("an attempt follows");
    harness.pass(DELAY).await;
    super::scene::announce(&*scene.store, InstanceId::random(), &super::scene::announcement(&scene.job, "second"))
        .await;
    scene.taken(&scene.take(retry)).await;
}
