//! What services have of jobs and of rows that wait: a store that takes these one by one, or each with all, is too slow for
//! its limits.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use serde_json::json;

use super::scene::{Idle, Scene, announcement, finish, job, told};
use crate::{
    conformance::StoreHarness,
    identity::ClaimId,
    occurrence::OccurrenceKey,
    status::Status,
    store::{
        Announcement, Claim, ClaimOutcome, DecideView, DecisionPlan, DueRequest, Finish, FinishOutcome, Grant,
        PlannedRow, Planner, Refusal, TakeOutcome, TakeRequest,
    },
};

/// How many jobs are due at once.
const JOBS: usize = 1_000;

/// How many rows wait.
const WAITING: usize = 20_000;

/// R1, R9: many at once, in one call each.
pub async fn a_thousand_occurrences_are_claimed_and_finished_at_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let jobs: Vec<Announcement> = (0..JOBS).map(|nth| announcement(&job(&format!("job{nth}")), "first")).collect();
    let announced = scene.store.announce(&told(scene.instance, &jobs), &Idle).await.expect("the store answers");
    harness.pass(Duration::from_millis(20)).await;
    let claims: Vec<Claim> = announced
        .iter()
        .map(|announced| {
            let at = announced.state.watermark + TimeDelta::milliseconds(10);
            Claim { job_id: announced.state.job_id.clone(), revision: announced.state.revision, ..scene.claim_at(at) }
        })
        .collect();
    let outcomes = scene.store.claim(&claims).await.expect("the store answers");
    let grants: Vec<Grant> = outcomes
        .iter()
        .map(|outcome| match outcome {
            ClaimOutcome::Granted(grant) => *grant,
            other => panic!("expected a grant, got {other:?}"),
        })
        .collect();
    let fences: HashSet<_> = grants.iter().map(|grant| grant.fence).collect();
    assert_eq!(fences.len(), JOBS);
    let again: Vec<Claim> = claims.iter().map(|claim| Claim { claim_id: ClaimId::random(), ..claim.clone() }).collect();
    let outcomes = scene.store.claim(&again).await.expect("the store answers");
    assert!(outcomes.iter().all(|outcome| *outcome == ClaimOutcome::Refused(Refusal::AlreadyDecided)));
    let finishes: Vec<Finish> = grants.iter().map(|grant| finish(*grant, Status::Succeeded)).collect();
    let finished = scene.store.finish(&finishes).await.expect("the store answers");
    assert!(
        finished.iter().all(|outcome| matches!(outcome, FinishOutcome::Finished { status: Status::Succeeded, .. }))
    );
}

/// Plans rows that wait, each of an occurrence of its own before the job's watermark.
#[derive(Debug)]
struct Backlog;

impl Planner for Backlog {
    fn plan(&self, view: &DecideView) -> DecisionPlan {
        let wait = |nth: usize| {
            let at = view.state.watermark - TimeDelta::milliseconds(i64::try_from(nth).unwrap_or_default());
            let occurrence = OccurrenceKey::scheduled(at);
            PlannedRow::Waiting { occurrence, scheduled_at: at, not_before: at, max_attempts: 1 }
        };
        DecisionPlan { rows: (0..WAITING).map(wait).collect(), ..DecisionPlan::default() }
    }
}

/// R2: as many as there is room for, the oldest first, each once.
pub async fn twenty_thousand_rows_that_wait_are_each_taken_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let allow = Announcement { policies: json!({"overlap": "allow"}), ..announcement(&job("backlog"), "first") };
    let scene = scene.beside_as(allow).await;
    let request = scene.decide_request();
    let decided = scene.decide(&request, &Backlog).await.expect("the store answers").expect("nobody else has it");
    assert_eq!(decided.waiting, WAITING);
    let mut taken = HashSet::new();
    let mut newest = None;
    loop {
        let due = scene.store.due(&scene.due_request(JOBS)).await.expect("the store answers");
        let Some(last) = due.last() else { break };
        assert_eq!(due.len(), JOBS, "as many as there is room for");
        assert!(newest < Some(due[0].place()), "the oldest first");
        newest = Some(last.place());
        let takes: Vec<TakeRequest> =
            due.iter().map(|due| TakeRequest { holds_key: false, ..scene.take(due.execution_id) }).collect();
        let outcomes = scene.store.take(&takes).await.expect("the store answers");
        let grants: Vec<Grant> = outcomes
            .iter()
            .map(|outcome| match outcome {
                TakeOutcome::Granted { grant, .. } => *grant,
                other => panic!("expected a grant, got {other:?}"),
            })
            .collect();
        taken.extend(grants.iter().map(|grant| grant.execution_id));
        let finishes: Vec<Finish> = grants.iter().map(|grant| finish(*grant, Status::Succeeded)).collect();
        scene.store.finish(&finishes).await.expect("the store answers");
    }
    assert_eq!(taken.len(), WAITING);
}

pub async fn what_is_due_of_some_jobs_is_looked_for_alone(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let mut waiting = Vec::new();
    for scene in [&scene, &beside] {
        let grant = scene.granted(&scene.claim(1)).await;
        waiting.push(scene.retried(grant, Duration::ZERO).await);
    }
    let of = async |jobs: &[&Scene<'_>]| {
        let jobs = Some(jobs.iter().map(|scene| scene.job.clone()).collect());
        let due = scene.store.due(&DueRequest { jobs, ..scene.due_request(10) }).await.expect("the store answers");
        due.into_iter().map(|due| due.execution_id).collect::<Vec<_>>()
    };
    assert_eq!(of(&[&beside]).await, [waiting[1]]);
    assert_eq!(of(&[&beside, &scene]).await, waiting);
    assert!(of(&[]).await.is_empty());
}
