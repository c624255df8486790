//! What runs after an occurrence that is over (R24).

use std::time::Duration;

use serde_json::json;

use super::scene::{LEASE, Scene, announce, announcement, finish, followed, job};
use crate::{
    conformance::StoreHarness,
    execution::Execution,
    identity::{ExecutionId, InstanceId},
    job::OverlapPolicy,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{Actor, Announcement, Claim, Finish, FinishOutcome, Grant, RetryOutcome, RetryRequest, TakeRequest},
};

/// A job that runs after others, with two retries.
fn after(name: &str, upstreams: &[&str]) -> Announcement {
    Announcement {
        trigger: format!("after {}", upstreams.join(", ")),
        policies: json!({"retries": 2}),
        ..announcement(&job(name), "first")
    }
}

/// The job at the root, and one that runs after it.
async fn chain<'a>(harness: &'a dyn StoreHarness) -> (Scene<'a>, Scene<'a>) {
    let root = Scene::new(harness).await;
    let then = root.beside_as(after("then", &["conformance"])).await;
    (root, then)
}

/// One root, two jobs that run after it, and one that runs after both.
async fn diamond<'a>(harness: &'a dyn StoreHarness) -> [Scene<'a>; 4] {
    let root = Scene::new(harness).await;
    let left = root.beside_as(after("left", &["conformance"])).await;
    let right = root.beside_as(after("right", &["conformance"])).await;
    let both = root.beside_as(after("both", &["left", "right"])).await;
    [root, left, right, both]
}

/// The one row of a job.
async fn only(scene: &Scene<'_>) -> Execution {
    let mut rows = scene.rows().await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    rows.remove(0)
}

fn answering(grant: Grant, number: u64) -> Finish {
    Finish { result_data: Some(json!({ "number": number })), ..finish(grant, Status::Succeeded) }
}

/// Runs the one row of a job to this end.
async fn run(scene: &Scene<'_>, end: impl Fn(Grant) -> Finish) -> ExecutionId {
    let row = only(scene).await;
    let (grant, _) = scene.taken(&scene.take(row.id)).await;
    scene.finished(&end(grant)).await;
    row.id
}

fn words(row: &Execution) -> (Status, Option<Reason>, u32) {
    (row.status, row.reason, row.attempt)
}

pub async fn what_runs_after_a_job_waits_once_its_occurrence_has_succeeded(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    assert_eq!(then.rows().await, []);
    root.finished(&answering(grant, 7)).await;
    let row = only(&then).await;
    assert_eq!(words(&row), (Status::Pending, None, 1));
    let key = OccurrenceKey::dependant(&OccurrenceKey::scheduled(root.at(1)));
    assert_eq!((&row.occurrence, row.origin, row.scheduled_at), (&key, Origin::Dependency, root.at(1)));
    assert_eq!((row.max_attempts, row.holds_key), (3, false));
    assert_eq!(row.upstream_results, Some(json!({"conformance": {"number": 7}})));
    assert_eq!(then.due_ids().await, [row.id]);
    let (_, taken) = then.taken(&then.take(row.id)).await;
    assert_eq!(taken.upstream_results, row.upstream_results);
}

pub async fn a_retry_of_what_runs_after_a_job_has_its_results_too(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&answering(grant, 7)).await;
    let (grant, _) = then.taken(&then.take(only(&then).await.id)).await;
    let retry = then.retried(grant, Duration::ZERO).await;
    assert_eq!(then.row(retry).await.upstream_results, Some(json!({"conformance": {"number": 7}})));
}

pub async fn an_attempt_that_another_follows_brings_nothing_yet(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    let retry = root.retried(grant, Duration::ZERO).await;
    assert_eq!(then.rows().await, []);
    let (grant, _) = root.taken(&root.take(retry)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(words(&only(&then).await), (Status::Pending, None, 1));
}

/// R24.
pub async fn what_runs_after_a_failure_is_skipped_down_the_chain(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let last = root.beside_as(after("last", &["then"])).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Failed)).await;
    for scene in [&then, &last] {
        let row = only(scene).await;
        assert_eq!(words(&row), (Status::Skipped, Some(Reason::Upstream), 1));
        assert_eq!(row.occurrence, OccurrenceKey::dependant(&OccurrenceKey::scheduled(root.at(1))));
        assert!(row.finished_at.is_some() && row.upstream_results.is_none());
    }
}

pub async fn a_chain_goes_on_for_the_root_s_occurrence(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let last = root.beside_as(after("last", &["then"])).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(last.rows().await, []);
    run(&then, |grant| answering(grant, 9)).await;
    let row = only(&last).await;
    assert_eq!(row.occurrence, only(&then).await.occurrence);
    assert_eq!((row.scheduled_at, row.upstream_results), (root.at(1), Some(json!({"then": {"number": 9}}))));
}

pub async fn what_runs_after_two_jobs_waits_for_both(harness: &dyn StoreHarness) {
    let [root, left, right, both] = diamond(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    run(&right, |grant| answering(grant, 2)).await;
    assert_eq!(both.rows().await, []);
    run(&left, |grant| answering(grant, 1)).await;
    let row = only(&both).await;
    assert_eq!(words(&row), (Status::Pending, None, 1));
    assert_eq!(row.upstream_results, Some(json!({"left": {"number": 1}, "right": {"number": 2}})));
}

pub async fn what_runs_after_two_jobs_is_skipped_once_both_are_over(harness: &dyn StoreHarness) {
    let [root, left, right, both] = diamond(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    run(&right, |grant| finish(grant, Status::Failed)).await;
    assert_eq!(both.rows().await, []);
    run(&left, |grant| finish(grant, Status::Succeeded)).await;
    assert_eq!(words(&only(&both).await), (Status::Skipped, Some(Reason::Upstream), 1));
}

/// R24.
pub async fn of_two_upstreams_that_end_at_once_one_brings_what_runs_after_both(harness: &dyn StoreHarness) {
    let [root, left, right, both] = diamond(harness).await;
    for millis in 1..=10 {
        let grant = root.granted(&root.claim(millis)).await;
        root.finished(&finish(grant, Status::Succeeded)).await;
        let mut ends = Vec::new();
        for scene in [&left, &right] {
            let due = scene.rows().await.pop().expect("it waits");
            let (grant, _) = scene.taken(&scene.take(due.id)).await;
            let (store, end) = (scene.store.attach(), finish(grant, Status::Succeeded));
            ends.push(tokio::spawn(async move { store.finish(&[end]).await }));
        }
        for end in ends {
            let outcome = end.await.expect("no panic").expect("the store answers");
            assert!(matches!(outcome[..], [FinishOutcome::Finished { .. }]), "{outcome:?}");
        }
        let rows = both.rows().await;
        assert_eq!(rows.len(), usize::try_from(millis).expect("positive"), "{rows:#?}");
    }
}

pub async fn outcomes_of_a_batch_bring_what_runs_after_each(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let allow = |millis| Claim { overlap: OverlapPolicy::Allow, ..root.claim(millis) };
    let first = root.granted(&allow(1)).await;
    let second = root.granted(&allow(2)).await;
    let ends = [finish(first, Status::Succeeded), finish(second, Status::Failed)];
    root.store.finish(&ends).await.expect("the store answers");
    let rows = then.rows().await;
    let fates: Vec<_> = rows.iter().map(|row| (row.scheduled_at, row.status)).collect();
    assert_eq!(fates, [(root.at(1), Status::Pending), (root.at(2), Status::Skipped)]);
}

pub async fn a_repeated_outcome_brings_nothing_twice(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    for _ in 0..2 {
        root.finished(&finish(grant, Status::Succeeded)).await;
    }
    only(&then).await;
}

pub async fn what_runs_after_an_abandoned_run_is_skipped(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    root.recovered(grant).await;
    assert_eq!(words(&only(&then).await), (Status::Skipped, Some(Reason::Upstream), 1));
}

/// R24.
pub async fn a_late_success_brings_what_was_skipped_after_all(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    root.recovered(grant).await;
    let outcome = root.try_finish(&answering(grant, 3)).await;
    assert!(matches!(outcome, FinishOutcome::Finished { late: true, .. }), "{outcome:?}");
    let rows = then.rows().await;
    assert_eq!(
        rows.iter().map(words).collect::<Vec<_>>(),
        [(Status::Skipped, Some(Reason::Upstream), 1), (Status::Pending, None, 2)]
    );
    assert_eq!((rows[1].max_attempts, &rows[1].upstream_results), (4, &Some(json!({"conformance": {"number": 3}}))));
}

pub async fn a_retry_that_succeeds_brings_what_was_skipped_after_all(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Failed)).await;
    let request = RetryRequest { execution_id: grant.execution_id, actor: Actor::new("ayu") };
    let retried = match root.store.retry(&request).await.expect("the store answers") {
        RetryOutcome::Retried(row) => row.id,
        outcome => panic!("expected it retried, got {outcome:?}"),
    };
    let (grant, _) = root.taken(&root.take(retried)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    let fates: Vec<_> = then.rows().await.iter().map(words).collect();
    assert_eq!(fates, [(Status::Skipped, Some(Reason::Upstream), 1), (Status::Pending, None, 2)]);
}

pub async fn what_runs_after_a_cancelled_retry_is_skipped(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let grant = root.granted(&root.claim(1)).await;
    let retry = root.retried(grant, LEASE).await;
    root.cancel(retry).await;
    assert_eq!(words(&only(&then).await), (Status::Skipped, Some(Reason::Upstream), 1));
}

pub async fn what_runs_after_a_retry_that_had_to_make_way_is_skipped(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let cancelling = |millis| Claim { overlap: OverlapPolicy::CancelRunning, ..root.claim(millis) };
    let grant = root.granted(&cancelling(1)).await;
    root.finished(&followed(&finish(grant, Status::Failed), LEASE)).await;
    root.try_claim(&cancelling(2)).await;
    let row = only(&then).await;
    assert_eq!(words(&row), (Status::Skipped, Some(Reason::Upstream), 1));
    assert_eq!(row.scheduled_at, root.at(1));
}

pub async fn an_occurrence_that_never_ran_brings_nothing(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    root.granted(&root.claim(1)).await;
    // Skipped, as the key is held.
    root.try_claim(&root.claim(2)).await;
    assert_eq!(then.rows().await, []);
}

pub async fn a_request_brings_what_runs_after_it(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let request = root.accepted(&root.manual("now", OverlapPolicy::Skip)).await;
    let (grant, _) = root.taken(&root.take(request.id)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    let row = only(&then).await;
    assert_eq!(row.occurrence, OccurrenceKey::dependant(&OccurrenceKey::manual("now")));
    assert_eq!(row.triggered_by.as_deref(), Some("operator"));
}

pub async fn a_disabled_job_runs_after_nothing(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let disabled =
        Announcement { enabled: false, fingerprint: "disabled".to_owned(), ..after("then", &["conformance"]) };
    announce(&*root.store, root.instance, &disabled).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(then.rows().await, []);
}

pub async fn what_runs_after_a_job_of_a_paused_one_waits(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    then.pause().await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    let row = only(&then).await;
    assert_eq!(words(&row), (Status::Pending, None, 1));
    assert!(then.due().await.is_empty());
    then.resume().await;
    assert_eq!(then.due_ids().await, [row.id]);
}

pub async fn a_job_that_nobody_has_any_more_runs_after_nothing(harness: &dyn StoreHarness) {
    let root = Scene::new(harness).await;
    let other = InstanceId::random();
    super::scene::beat(&*root.store, other).await;
    announce(&*root.store, other, &after("then", &["conformance"])).await;
    root.store.leave(other).await.expect("the store answers");
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    let key = OccurrenceKey::dependant(&OccurrenceKey::scheduled(root.at(1)));
    let newest = root.store.newest_attempt(&job("then"), &key).await;
    assert_eq!(newest.expect("the store answers"), None);
}

pub async fn a_job_that_runs_after_another_one_now_does_not_after_the_first(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    let second = root.beside("second").await;
    let moved = Announcement { fingerprint: "moved".to_owned(), ..after("then", &["second"]) };
    announce(&*root.store, root.instance, &moved).await;
    let grant = root.granted(&root.claim(1)).await;
    root.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(then.rows().await, []);
    let grant = second.granted(&second.claim(2)).await;
    second.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(only(&then).await.scheduled_at, second.at(2));
}

pub async fn rows_that_run_after_a_job_are_any_number_and_run_oldest_first(harness: &dyn StoreHarness) {
    let (root, then) = chain(harness).await;
    for millis in [1, 2] {
        let grant = root.granted(&root.claim(millis)).await;
        root.finished(&finish(grant, Status::Succeeded)).await;
    }
    let rows = then.rows().await;
    assert_eq!(then.due_ids().await, [rows[0].id]);
    let (grant, _) = then.taken(&then.take(rows[0].id)).await;
    assert!(then.due().await.is_empty(), "one at a time");
    then.finished(&finish(grant, Status::Succeeded)).await;
    let (_, taken) = then.taken(&TakeRequest { instance: InstanceId::random(), ..then.take(rows[1].id) }).await;
    assert_eq!(taken.scheduled_at, root.at(2));
}
