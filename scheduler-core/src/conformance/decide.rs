//! Passes over a job's undecided occurrences (R12).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::scene::{Scene, announce, announcement, decide_one, finish, job};
use crate::{
    conformance::StoreHarness,
    identity::InstanceId,
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{
        Claim, ClaimOutcome, DecideRequest, DecideView, Decided, DecidedRow, Deciding, DecisionPlan, GrowRange,
        LostClaim, PlannedRow, Planner, RangeRow, Refusal,
    },
};

/// Plans what a case says, and keeps what it saw.
#[derive(Debug, Default)]
struct Fixed {
    plan: DecisionPlan,
    seen: Mutex<Option<DecideView>>,
}

impl Planner for Fixed {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        self.plan.clone()
    }
}

/// Runs a plan; what was decided, and what the planner saw.
async fn pass(scene: &Scene<'_>, request: &DecideRequest, plan: DecisionPlan) -> (Decided, DecideView) {
    let planner = Fixed { plan, ..Fixed::default() };
    let decided = scene.decide(request, &planner).await.expect("the store answers").expect("the job is free");
    let seen = planner.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    (decided, seen.expect("the planner was asked"))
}

async fn decide(scene: &Scene<'_>, plan: DecisionPlan) -> Decided {
    pass(scene, &scene.decide_request(), plan).await.0
}

/// What a pass sees.
async fn view(scene: &Scene<'_>) -> DecideView {
    pass(scene, &scene.decide_request(), DecisionPlan::default()).await.1
}

async fn watermark(scene: &Scene<'_>) -> DateTime<Utc> {
    let states = scene.store.states(std::slice::from_ref(&scene.job)).await.expect("the store answers");
    states[0].watermark
}

fn rows(rows: Vec<PlannedRow>, watermark: DateTime<Utc>) -> DecisionPlan {
    DecisionPlan { rows, watermark: Some(watermark), ..DecisionPlan::default() }
}

fn catch_up(at: DateTime<Utc>) -> PlannedRow {
    PlannedRow::CatchUp { occurrence: OccurrenceKey::scheduled(at), scheduled_at: at, max_attempts: 4 }
}

fn missed(from: DateTime<Utc>, to: DateTime<Utc>, count: u64) -> PlannedRow {
    PlannedRow::Range {
        status: Status::Missed,
        reason: Reason::Deadline,
        missed_from: from,
        scheduled_at: to,
        missed_count: count,
    }
}

const fn own(at: DateTime<Utc>) -> DecidedRow {
    DecidedRow { scheduled_at: at, missed_from: None }
}

pub async fn a_pass_sees_the_jobs_state(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let before = scene.now().await;
    let seen = view(&scene).await;
    assert!(before <= seen.now && seen.now <= scene.now().await, "by the store's clock");
    assert_eq!((&seen.state.job_id, seen.state.revision), (&scene.job, scene.revision));
    assert_eq!((seen.state.watermark, seen.state.enabled), (scene.watermark, true));
    assert_eq!(seen.until, seen.now, "it ends at now where there is no lag");
    assert_eq!((seen.rows, seen.newest_range, seen.held), (vec![], None, false));
}

pub async fn a_pass_ends_its_lag_before_now(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let lag = Duration::from_millis(20);
    let (_, seen) = pass(&scene, &DecideRequest { lag, ..scene.decide_request() }, DecisionPlan::default()).await;
    assert_eq!(seen.until, seen.now - lag);
}

pub async fn a_pass_sees_the_rows_of_its_job_in_order(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let grant = scene.granted(&scene.claim(20)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    scene.granted(&scene.claim(10)).await;
    assert!(matches!(scene.try_claim(&scene.claim(30)).await, ClaimOutcome::Skipped { .. }));
    beside.granted(&beside.claim(1)).await;
    scene.accepted(&scene.manual("beside the schedule", crate::job::OverlapPolicy::Allow)).await;
    assert_eq!(view(&scene).await.rows, [own(scene.at(10)), own(scene.at(20)), own(scene.at(30))]);
}

pub async fn an_occurrence_with_two_attempts_is_decided_by_either(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(10)).await;
    scene.retried(grant, Duration::from_secs(60)).await;
    let mut seen = view(&scene).await.rows;
    seen.dedup();
    assert_eq!(seen, [own(scene.at(10))]);
}

pub async fn a_pass_sees_no_rows_at_or_below_the_watermark(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for millis in [10, 20, 30] {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
    }
    decide(&scene, rows(vec![], scene.at(20))).await;
    assert_eq!(view(&scene).await.rows, [own(scene.at(30))]);
}

pub async fn a_pass_over_more_rows_than_its_limit_ends_at_the_last_it_sees(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for millis in [10, 20, 30] {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
    }
    let (_, seen) = pass(&scene, &DecideRequest { limit: 2, ..scene.decide_request() }, DecisionPlan::default()).await;
    assert_eq!(seen.rows, [own(scene.at(10)), own(scene.at(20))]);
    assert_eq!(seen.until, scene.at(20));
    let (_, seen) = pass(&scene, &DecideRequest { limit: 3, ..scene.decide_request() }, DecisionPlan::default()).await;
    assert_eq!((seen.rows.len(), seen.until), (3, seen.now), "as many as the limit is not more");
}

pub async fn a_pass_sees_whether_the_key_is_held(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert!(view(&scene).await.held);
    let retry = scene.retried(grant, Duration::ZERO).await;
    assert!(view(&scene).await.held, "by a waiting retry");
    let (grant, _) = scene.taken(&scene.take(retry)).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert!(!view(&scene).await.held);
}

pub async fn a_pass_that_plans_nothing_writes_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let decided = decide(&scene, DecisionPlan::default()).await;
    assert_eq!((decided.watermark, decided.missed, decided.caught_up), (scene.watermark, 0, 0));
    assert!(decided.claims.is_empty());
    assert_eq!(watermark(&scene).await, scene.watermark);
}

pub async fn a_pass_moves_the_watermark_and_what_lies_below_is_decided(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let decided = decide(&scene, rows(vec![], scene.at(20))).await;
    assert_eq!(decided.watermark, scene.at(20));
    assert_eq!(watermark(&scene).await, scene.at(20));
    for millis in [1, 20] {
        let outcome = scene.try_claim(&scene.claim(millis)).await;
        assert_eq!(outcome, ClaimOutcome::Refused(Refusal::Passed), "{millis}");
    }
    scene.granted(&scene.claim(21)).await;
}

pub async fn the_watermark_never_goes_back(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    decide(&scene, rows(vec![], scene.at(20))).await;
    let decided = decide(&scene, rows(vec![], scene.at(10))).await;
    assert_eq!((decided.watermark, watermark(&scene).await), (scene.at(20), scene.at(20)));
}

pub async fn a_planned_claim_is_granted_and_runs(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(10);
    let decided = decide(&scene, rows(vec![PlannedRow::Claim(claim.clone())], scene.at(20))).await;
    let [(planned, ClaimOutcome::Granted(grant))] = &decided.claims[..] else { panic!("{decided:?}") };
    assert_eq!(planned.claim_id, claim.claim_id);
    assert_eq!(decided.watermark, scene.at(20));
    let row = scene.row(grant.execution_id).await;
    assert_eq!((row.status, row.origin, row.holds_key), (Status::Running, Origin::Schedule, true));
    assert!(scene.renew(*grant, super::scene::LEASE).await.is_some());
    let found = scene.store.find_claim(&LostClaim::of(&claim)).await.expect("the store answers").expect("it committed");
    assert_eq!(found.grant, *grant);
}

pub async fn a_row_that_is_planned_to_wait_is_taken_at_its_earliest_start(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let delay = Duration::from_millis(300);
    let not_before = scene.now().await + delay;
    let occurrence = OccurrenceKey::scheduled(scene.at(10));
    let row = PlannedRow::Waiting { occurrence, scheduled_at: scene.at(10), not_before, max_attempts: 4 };
    assert_eq!(decide(&scene, rows(vec![row], scene.at(20))).await.waiting, 1);
    let row = scene.newest(scene.at(10)).await.expect("it has a row");
    assert_eq!((row.status, row.origin, row.not_before), (Status::Pending, Origin::Schedule, not_before));
    assert_eq!(scene.due_ids().await, []);
    harness.pass(delay).await;
    assert_eq!(scene.due_ids().await, [row.id]);
    scene.taken(&scene.take(row.id)).await;
}

pub async fn planned_claims_meet_each_other_by_the_overlap_policy(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let plan = vec![PlannedRow::Claim(scene.claim(10)), PlannedRow::Claim(scene.claim(20))];
    let decided = decide(&scene, rows(plan, scene.at(30))).await;
    assert!(matches!(decided.claims[0].1, ClaimOutcome::Granted(_)), "{decided:?}");
    assert!(matches!(decided.claims[1].1, ClaimOutcome::Skipped { reason: Reason::Overlap, .. }), "{decided:?}");
    assert_eq!(decided.watermark, scene.at(30), "both have their row");
}

pub async fn the_watermark_stays_below_a_planned_claim_that_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let refused = Claim { deadline: scene.at(1), ..scene.claim(20) };
    let plan = vec![catch_up(scene.at(10)), PlannedRow::Claim(refused), catch_up(scene.at(30))];
    let decided = decide(&scene, rows(plan, scene.at(40))).await;
    assert_eq!(decided.claims[0].1, ClaimOutcome::Refused(Refusal::DeadlinePassed));
    assert!(decided.watermark < scene.at(20), "{:?}", decided.watermark);
    assert_eq!(watermark(&scene).await, decided.watermark);
    assert_eq!(scene.newest(scene.at(20)).await, None);
    // What had its row keeps it, and what was refused is still owed.
    for millis in [10, 30] {
        let outcome = scene.try_claim(&scene.claim(millis)).await;
        assert_eq!(outcome, ClaimOutcome::Refused(Refusal::AlreadyDecided), "{millis}");
    }
    scene.granted(&scene.claim(20)).await;
}

pub async fn the_watermark_moves_over_a_planned_claim_that_was_decided_already(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&scene.claim(10)).await;
    let decided = decide(&scene, rows(vec![PlannedRow::Claim(scene.claim(10))], scene.at(20))).await;
    assert_eq!(decided.claims[0].1, ClaimOutcome::Refused(Refusal::AlreadyDecided));
    assert_eq!(decided.watermark, scene.at(20));
}

pub async fn a_caught_up_occurrence_waits_to_be_taken_and_holds_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let decided = decide(&scene, rows(vec![catch_up(scene.at(10))], scene.at(20))).await;
    assert_eq!((decided.caught_up, decided.missed), (1, 0));
    let row = scene.newest(scene.at(10)).await.expect("it has a row");
    assert_eq!((row.status, row.origin), (Status::Pending, Origin::CatchUp));
    assert_eq!((row.attempt, row.max_attempts, row.scheduled_at), (1, 4, scene.at(10)));
    assert!(!row.holds_key && !row.queued);
    assert_eq!(scene.due_ids().await, [row.id]);
    let (grant, taken) = scene.taken(&scene.take(row.id)).await;
    assert_eq!((taken.origin, taken.holds_key), (Origin::CatchUp, true));
    scene.finished(&finish(grant, Status::Succeeded)).await;
}

pub async fn caught_up_occurrences_run_oldest_first(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let plan = [30, 10, 20].map(|millis| catch_up(scene.at(millis))).to_vec();
    assert_eq!(decide(&scene, rows(plan, scene.at(40))).await.caught_up, 3);
    for millis in [10, 20, 30] {
        let due = scene.due().await;
        assert_eq!(due.len(), 1, "{due:?}");
        assert_eq!(due[0].scheduled_at, scene.at(millis));
        let (grant, _) = scene.taken(&scene.take(due[0].execution_id)).await;
        scene.finished(&finish(grant, Status::Succeeded)).await;
    }
    assert!(scene.due().await.is_empty());
}

pub async fn a_range_row_covers_what_was_missed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let decided = decide(&scene, rows(vec![missed(scene.at(10), scene.at(30), 3)], scene.at(40))).await;
    assert_eq!((decided.missed, decided.caught_up), (3, 0));
    let row = scene.newest(scene.at(30)).await.expect("the range has its last instant's key");
    assert_eq!((row.status, row.reason), (Status::Missed, Some(Reason::Deadline)));
    assert_eq!((row.missed_from, row.scheduled_at), (Some(scene.at(10)), scene.at(30)));
    assert_eq!((row.missed_count, row.origin), (Some(3), Origin::Schedule));
    assert_eq!((row.started_at, row.fence, row.holds_key), (None, None, false));
    assert!(scene.due().await.is_empty());
}

pub async fn a_skipped_range_is_not_counted_as_missed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let range = PlannedRow::Range {
        status: Status::Skipped,
        reason: Reason::Paused,
        missed_from: scene.at(10),
        scheduled_at: scene.at(20),
        missed_count: 2,
    };
    assert_eq!(decide(&scene, rows(vec![range], scene.at(30))).await.missed, 0);
    let row = scene.newest(scene.at(20)).await.expect("it has a row");
    assert_eq!((row.status, row.reason, row.missed_count), (Status::Skipped, Some(Reason::Paused), Some(2)));
}

pub async fn a_pass_sees_range_rows_above_the_watermark(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    decide(&scene, rows(vec![missed(scene.at(10), scene.at(30), 3)], scene.at(5))).await;
    let seen = view(&scene).await;
    assert_eq!(seen.rows, [DecidedRow { scheduled_at: scene.at(30), missed_from: Some(scene.at(10)) }]);
}

pub async fn the_newest_range_row_is_seen_and_grows(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    decide(&scene, rows(vec![missed(scene.at(1), scene.at(5), 2)], scene.at(6))).await;
    decide(&scene, rows(vec![missed(scene.at(10), scene.at(30), 3)], scene.at(35))).await;
    let execution_id = scene.newest(scene.at(30)).await.expect("it has a row").id;
    let range =
        RangeRow { execution_id, reason: Reason::Deadline, missed_from: scene.at(10), scheduled_at: scene.at(30) };
    assert_eq!(view(&scene).await.newest_range, Some(range), "though it lies below the watermark");
    let grow = GrowRange { execution_id, scheduled_at: scene.at(50), added: 2 };
    let decided =
        decide(&scene, DecisionPlan { grow: Some(grow), watermark: Some(scene.at(55)), ..DecisionPlan::default() })
            .await;
    assert_eq!((decided.missed, decided.watermark), (2, scene.at(55)));
    let row = scene.row(execution_id).await;
    assert_eq!((row.missed_from, row.scheduled_at), (Some(scene.at(10)), scene.at(50)));
    assert_eq!((row.missed_count, row.occurrence), (Some(5), OccurrenceKey::scheduled(scene.at(50))));
    assert_eq!(scene.newest(scene.at(30)).await, None, "its key has moved on");
    let grown = RangeRow { scheduled_at: scene.at(50), ..range };
    assert_eq!(view(&scene).await.newest_range, Some(grown));
}

pub async fn a_superseded_revision_decides_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    announce(&*scene.store, InstanceId::random(), &announcement(&scene.job, "second")).await;
    let planner = Fixed { plan: rows(vec![catch_up(scene.at(10))], scene.at(20)), ..Fixed::default() };
    let decided = scene.decide(&scene.decide_request(), &planner).await.expect("the store answers");
    assert!(decided.is_none(), "{decided:?}");
    assert_eq!((scene.newest(scene.at(10)).await, watermark(&scene).await), (None, scene.watermark));
}

/// R12: many jobs in one transaction, each by its own plan, whatever becomes of the others.
pub async fn passes_over_many_jobs_decide_each_by_its_own_plan(harness: &dyn StoreHarness) {
    let first = Scene::new(harness).await;
    let [second, third] = [first.beside("second").await, first.beside("third").await];
    announce(&*first.store, InstanceId::random(), &announcement(&third.job, "another")).await;
    let missed = |scene: &Scene<'_>| PlannedRow::Range {
        status: Status::Missed,
        reason: Reason::Deadline,
        missed_from: scene.at(10),
        scheduled_at: scene.at(20),
        missed_count: 2,
    };
    let plans = [
        Fixed { plan: rows(vec![missed(&first), catch_up(first.at(30))], first.at(40)), ..Fixed::default() },
        Fixed { plan: rows(vec![PlannedRow::Claim(second.claim(10))], second.at(20)), ..Fixed::default() },
        Fixed { plan: rows(vec![catch_up(third.at(10))], third.at(20)), ..Fixed::default() },
        Fixed { plan: rows(vec![catch_up(first.at(10))], first.at(20)), ..Fixed::default() },
    ];
    let unknown = DecideRequest { job_id: job("never-announced"), ..first.decide_request() };
    let requests = [first.decide_request(), second.decide_request(), third.decide_request(), unknown];
    let passes: Vec<Deciding<'_>> =
        requests.into_iter().zip(&plans).map(|(request, planner)| Deciding { request, planner }).collect();
    let decided = first.store.decide(&passes).await.expect("the store answers");
    let [Some(one), Some(two), None, None] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!((one.missed, one.caught_up, one.watermark), (2, 1, first.at(40)));
    assert!(matches!(two.claims[..], [(_, ClaimOutcome::Granted(_))]), "{two:?}");
    assert_eq!([watermark(&first).await, watermark(&second).await], [first.at(40), second.at(20)]);
    assert_eq!(watermark(&third).await, third.watermark);
    let range = view(&first).await.newest_range.expect("it was just written");
    let grow = GrowRange { execution_id: range.execution_id, scheduled_at: first.at(50), added: 3 };
    let grown = Fixed { plan: DecisionPlan { grow: Some(grow), ..DecisionPlan::default() }, ..Fixed::default() };
    let ranged = Fixed { plan: rows(vec![missed(&second)], second.at(30)), ..Fixed::default() };
    let passes = [
        Deciding { request: second.decide_request(), planner: &ranged },
        Deciding { request: first.decide_request(), planner: &grown },
    ];
    let decided = first.store.decide(&passes).await.expect("the store answers");
    let [Some(one), Some(two)] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!((one.missed, two.missed), (2, 3));
    assert_eq!(first.newest(first.at(50)).await.and_then(|row| row.missed_count), Some(5));
}

pub async fn an_unknown_job_is_not_decided(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let unknown = DecideRequest { job_id: job("never-announced"), ..scene.decide_request() };
    let decided = scene.decide(&unknown, &Fixed::default()).await.expect("the store answers");
    assert!(decided.is_none(), "{decided:?}");
}

pub async fn a_paused_jobs_planned_claim_is_refused_and_stays_owed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.pause().await;
    let (decided, seen) =
        pass(&scene, &scene.decide_request(), rows(vec![PlannedRow::Claim(scene.claim(10))], scene.at(20))).await;
    assert_eq!(seen.state.pause.expect("it is paused").by.as_deref(), Some("operator"));
    assert_eq!(decided.claims[0].1, ClaimOutcome::Refused(Refusal::Paused));
    assert!(decided.watermark < scene.at(10));
    scene.resume().await;
    scene.granted(&scene.claim(10)).await;
}

/// Catches everything up that has no row: as many passes at once as there are may write each occurrence once.
#[derive(Debug)]
struct CatchUpAll {
    occurrences: Vec<DateTime<Utc>>,
    until: DateTime<Utc>,
}

impl Planner for CatchUpAll {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        let has_row = |at: &DateTime<Utc>| view.rows.iter().any(|row| row.scheduled_at == *at);
        let owed = self.occurrences.iter().filter(|at| **at > view.state.watermark && !has_row(at));
        rows(owed.map(|at| catch_up(*at)).collect(), self.until)
    }
}

pub async fn ten_passes_at_once_decide_each_occurrence_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&scene.claim(30)).await;
    let occurrences: Vec<_> = [10, 20, 30, 40].map(|millis| scene.at(millis)).to_vec();
    let until = scene.at(50);
    let passes = (0..10).map(|_| {
        let (store, request, occurrences) = (scene.store.attach(), scene.decide_request(), occurrences.clone());
        tokio::spawn(async move { decide_one(&*store, &request, &CatchUpAll { occurrences, until }).await })
    });
    let mut caught_up = 0;
    for pass in passes.collect::<Vec<_>>() {
        let decided = pass.await.expect("no panic").expect("the store answers");
        caught_up += decided.map_or(0, |decided| decided.caught_up);
    }
    assert_eq!(caught_up, 3);
    assert_eq!(watermark(&scene).await, until);
}

/// R12: a claim and a pass decide once.
pub async fn a_claim_and_a_pass_at_once_decide_an_occurrence_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for round in 1..=10 {
        let at = scene.at(round * 10);
        let (store, claim) = (scene.store.attach(), scene.claim(round * 10));
        let claimer = tokio::spawn(async move { store.claim(&[claim]).await });
        let (store, request) = (scene.store.attach(), scene.decide_request());
        let planner = CatchUpAll { occurrences: vec![at], until: at + TimeDelta::milliseconds(1) };
        let decider = tokio::spawn(async move { decide_one(&*store, &request, &planner).await });
        let claimed = claimer.await.expect("no panic").expect("the store answers");
        let decided = decider.await.expect("no panic").expect("the store answers");
        let caught_up = decided.map_or(0, |decided| decided.caught_up);
        let row = scene.newest(at).await.expect("it has a row");
        match claimed[0] {
            ClaimOutcome::Granted(grant) => {
                assert_eq!((caught_up, row.id), (0, grant.execution_id));
                scene.finished(&finish(grant, Status::Succeeded)).await;
            }
            ClaimOutcome::Refused(Refusal::AlreadyDecided) => {
                assert_eq!((caught_up, row.origin), (1, Origin::CatchUp));
                let (grant, _) = scene.taken(&scene.take(row.id)).await;
                scene.finished(&finish(grant, Status::Succeeded)).await;
            }
            ref other => panic!("{other:?}"),
        }
    }
}
