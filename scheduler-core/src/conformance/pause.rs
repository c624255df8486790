//! Pauses (R23).

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    frequent::{PERIOD, assert_covers, frequent, occurrences, patient, planner, ranges, scene, strict},
    scene::{Scene, announcement, job},
};
use crate::{
    conformance::StoreHarness,
    duty::plan::{OwedPlanner, Purpose},
    identity::JobId,
    job::JobSettings,
    occurrence::Origin,
    status::{Reason, Status},
    store::{
        Actor, Announcement, ClaimOutcome, DecideRequest, Decided, JobRevision, JobState, PauseOutcome, PauseRequest,
        Refusal, ResumeOutcome, ResumeRequest,
    },
};

/// How long the cases' pauses are.
const PAUSE: Duration = Duration::from_secs(1);

fn pause(job_id: &JobId, until: Option<DateTime<Utc>>) -> PauseRequest {
    PauseRequest { job_id: job_id.clone(), actor: Actor::new("ayu").because("maintenance"), until }
}

fn resume(job_id: &JobId) -> ResumeRequest {
    ResumeRequest { job_id: job_id.clone(), actor: Actor::new("budi") }
}

async fn try_pause(scene: &Scene<'_>, until: Option<DateTime<Utc>>) -> PauseOutcome {
    let request = pause(&scene.job, until);
    scene.store.pause(&request, &planner(Purpose::Pause)).await.expect("the store answers")
}

async fn paused(scene: &Scene<'_>, until: Option<DateTime<Utc>>) -> (JobState, Decided) {
    match try_pause(scene, until).await {
        PauseOutcome::Paused { state, decided } => (state, *decided),
        other => panic!("expected it paused, got {other:?}"),
    }
}

async fn try_resume(scene: &Scene<'_>) -> ResumeOutcome {
    scene.store.resume(&resume(&scene.job), &planner(Purpose::Resume)).await.expect("the store answers")
}

async fn resumed(scene: &Scene<'_>) -> (JobState, Decided) {
    match try_resume(scene).await {
        ResumeOutcome::Resumed { state, decided } => (state, *decided),
        other => panic!("expected it resumed, got {other:?}"),
    }
}

/// A pass of R12, as an instance that has the job's current revision makes it.
async fn pass(scene: &Scene<'_>, announced: &Announcement) -> Decided {
    let state = scene.state().await;
    let revision = JobRevision {
        id: state.revision,
        fingerprint: announced.fingerprint.as_str().into(),
        trigger: announced.trigger.as_str().into(),
        zone: None,
        zone_data: None,
        policies: Arc::new(announced.policies.clone()),
        enabled: announced.enabled,
        valid_from: scene.watermark,
        valid_to: None,
    };
    let settings = Arc::new(JobSettings::from_revision(&scene.job, &revision).expect("a trigger"));
    let planner = OwedPlanner {
        settings,
        instance: scene.instance,
        elsewhere: crate::engine::Elsewhere::default(),
        claims: false,
        claimed: std::sync::Mutex::default(),
    };
    let request = DecideRequest {
        job_id: scene.job.clone(),
        revision: state.revision,
        instance: scene.instance,
        lag: Duration::ZERO,
        limit: 10_000,
    };
    scene.decide(&request, &planner).await.expect("the store answers").expect("the job is free")
}

const PAUSED: (Status, Reason) = (Status::Skipped, Reason::Paused);

pub async fn a_paused_job_says_who_paused_it_and_claims_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let before = scene.now().await;
    let until = DateTime::from_timestamp_millis(before.timestamp_millis()).expect("in range") + TimeDelta::hours(1);
    let (state, decided) = paused(&scene, Some(until)).await;
    let pause = state.pause.clone().expect("it is paused");
    assert_eq!((pause.by.as_deref(), pause.reason.as_deref()), (Some("ayu"), Some("maintenance")));
    assert_eq!(pause.until, Some(until));
    assert!(before <= pause.at && pause.at <= scene.now().await, "by the store's clock");
    assert_eq!(scene.state().await, state);
    assert_eq!((decided.missed, decided.skipped, decided.waiting), (0, 0, 0));
    harness.pass(PERIOD).await;
    let claim = scene.claim_at(scene.now().await);
    assert_eq!(scene.try_claim(&claim).await, ClaimOutcome::Refused(Refusal::Paused));
}

pub async fn what_is_owed_and_within_its_deadline_waits_until_the_pause_ends(harness: &dyn StoreHarness) {
    let scene = scene(harness, patient()).await;
    let (state, decided) = paused(&scene, None).await;
    let at = state.pause.expect("it is paused").at;
    assert_eq!(state.watermark, at, "all up to the pause is decided");
    let owed = occurrences(scene.watermark, at);
    assert_eq!((decided.waiting, decided.missed, decided.caught_up), (owed.len(), 0, 0));
    for at in &owed {
        let row = scene.newest(*at).await.expect("it has a row");
        assert_eq!((row.status, row.origin, row.scheduled_at), (Status::Pending, Origin::Schedule, *at));
        assert_eq!((row.attempt, row.max_attempts), (1, JobSettings::DEFAULT_RETRIES + 1));
        assert!(!row.holds_key && !row.queued);
    }
    assert!(scene.due().await.is_empty(), "what waits, waits until the pause ends");
    resumed(&scene).await;
    let due = scene.due().await;
    assert_eq!((due.len(), due[0].scheduled_at), (1, owed[0]));
}

pub async fn what_is_owed_and_late_is_decided_before_the_pause(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let (state, decided) = paused(&scene, None).await;
    let rows = scene.rows().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_covers(&rows[0], (Status::Missed, Reason::Deadline), scene.watermark, state.watermark);
    assert_eq!(Some(decided.missed), rows[0].missed_count);
}

pub async fn a_job_that_is_paused_can_not_be_paused_again(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let (state, _) = paused(&scene, None).await;
    harness.pass(PAUSE).await;
    let until = scene.now().await + TimeDelta::hours(1);
    match try_pause(&scene, Some(until)).await {
        PauseOutcome::AlreadyPaused(found) => assert_eq!(found, state),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.state().await, state);
    assert_eq!(ranges(&scene).await.len(), 1, "what fell in the pause so far is not decided yet");
}

pub async fn a_pause_that_would_be_over_is_refused(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let now = scene.now().await;
    for until in [now, now - TimeDelta::hours(1)] {
        let outcome = try_pause(&scene, Some(until)).await;
        assert!(matches!(outcome, PauseOutcome::UntilPassed), "{outcome:?}");
    }
    let state = scene.state().await;
    assert_eq!((state.pause, state.watermark), (None, scene.watermark));
    assert!(scene.rows().await.is_empty());
}

pub async fn an_unknown_job_is_neither_paused_nor_resumed(harness: &dyn StoreHarness) {
    let scene = Scene { job: job("never-announced"), ..Scene::new(harness).await };
    assert!(matches!(try_pause(&scene, None).await, PauseOutcome::UnknownJob));
    assert!(matches!(try_resume(&scene).await, ResumeOutcome::UnknownJob));
    let known = scene.store.states(std::slice::from_ref(&scene.job)).await.expect("the store answers");
    assert_eq!(known, []);
}

pub async fn a_job_that_is_not_paused_is_not_resumed(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    match try_resume(&scene).await {
        ResumeOutcome::NotPaused(state) => assert_eq!(state, scene.state().await),
        other => panic!("{other:?}"),
    }
    assert!(scene.rows().await.is_empty(), "nothing is decided by it");
    paused(&scene, None).await;
    resumed(&scene).await;
    assert!(matches!(try_resume(&scene).await, ResumeOutcome::NotPaused(_)));
}

pub async fn what_fell_in_a_pause_is_one_skipped_range(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let (before, _) = paused(&scene, None).await;
    harness.pass(PAUSE).await;
    let (state, decided) = resumed(&scene).await;
    assert_eq!(state.pause, None);
    assert_eq!(scene.state().await, state);
    let rows = ranges(&scene).await;
    assert_eq!(rows.len(), 2, "what was missed before, and what fell in the pause: {rows:?}");
    assert_covers(&rows[1], PAUSED, before.watermark, state.watermark);
    assert_eq!((Some(decided.skipped), decided.missed), (rows[1].missed_count, 0));
    let of_the_pause = scene.claim_at(occurrences(before.watermark, state.watermark)[0]);
    assert_eq!(scene.try_claim(&of_the_pause).await, ClaimOutcome::Refused(Refusal::Passed));
    harness.pass(PERIOD * 2).await;
    scene.granted(&scene.claim_at(occurrences(state.watermark, scene.now().await)[0])).await;
}

pub async fn a_pause_without_occurrences_leaves_no_row(harness: &dyn StoreHarness) {
    let rare = Announcement { trigger: "manual".to_owned(), ..announcement(&job("rare"), "first") };
    let scene = Scene::new(harness).await.beside_as(rare).await;
    paused(&scene, None).await;
    harness.pass(PAUSE).await;
    let (state, _) = resumed(&scene).await;
    assert!(scene.rows().await.is_empty());
    assert!(state.watermark > scene.watermark, "its watermark moves all the same");
}

pub async fn a_disabled_jobs_pause_leaves_no_row(harness: &dyn StoreHarness) {
    let disabled = Announcement { enabled: false, ..frequent(strict()) };
    let scene = Scene::new(harness).await.beside_as(disabled).await;
    paused(&scene, None).await;
    harness.pass(PAUSE).await;
    resumed(&scene).await;
    assert!(scene.rows().await.is_empty(), "the time in which a job is disabled is never owed");
}

pub async fn two_pauses_with_an_occurrence_between_are_two_rows(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    for round in 1..=2 {
        paused(&scene, None).await;
        harness.pass(PAUSE).await;
        resumed(&scene).await;
        harness.pass(PERIOD * 2).await;
        let paused = ranges(&scene).await.into_iter().filter(|row| row.reason == Some(Reason::Paused)).count();
        assert_eq!(paused, round);
    }
}

pub async fn a_pause_whose_time_is_over_is_found_and_ended_by_a_pass(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let until = scene.now().await + PAUSE;
    let (before, _) = paused(&scene, Some(until)).await;
    let over = async || scene.store.pauses_over(10).await.expect("the store answers");
    assert_eq!(over().await, []);
    assert!(!pass(&scene, &frequent(strict())).await.ended_pause);
    assert_eq!(scene.state().await, before, "a pass leaves a pause alone whose time is not over");
    harness.pass(PAUSE).await;
    assert_eq!(over().await, std::slice::from_ref(&scene.job));
    let claim = scene.claim_at(scene.now().await);
    assert_eq!(scene.try_claim(&claim).await, ClaimOutcome::Refused(Refusal::Paused), "even past its end");
    let decided = pass(&scene, &frequent(strict())).await;
    assert!(decided.ended_pause);
    let state = scene.state().await;
    assert_eq!((state.pause, state.watermark), (None, until - TimeDelta::milliseconds(1)));
    let rows = ranges(&scene).await;
    assert_covers(&rows[1], PAUSED, before.watermark, state.watermark);
    assert_eq!(over().await, []);
    // What is due at the pause's end and later is the schedule's again.
    let owed = occurrences(state.watermark, scene.now().await);
    if let Some(first) = owed.first() {
        scene.granted(&scene.claim_at(*first)).await;
    }
}

pub async fn resuming_late_skips_only_what_fell_before_the_pauses_end(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let until = scene.now().await + PAUSE;
    let (before, _) = paused(&scene, Some(until)).await;
    harness.pass(PAUSE * 2).await;
    let (state, decided) = resumed(&scene).await;
    let rows = ranges(&scene).await;
    let end = until - TimeDelta::milliseconds(1);
    assert_covers(&rows[1], PAUSED, before.watermark, end);
    assert_covers(&rows[2], (Status::Missed, Reason::Deadline), end, state.watermark);
    assert_eq!((Some(decided.skipped), Some(decided.missed)), (rows[1].missed_count, rows[2].missed_count));
}

pub async fn a_pause_whose_time_is_over_does_not_keep_a_job_from_being_paused(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let until = scene.now().await + PAUSE;
    paused(&scene, Some(until)).await;
    harness.pass(PAUSE * 2).await;
    let (state, decided) = paused(&scene, None).await;
    assert!(decided.ended_pause);
    let pause = state.pause.expect("it is paused");
    assert!(pause.at > until && pause.until.is_none(), "{pause:?}");
    let reasons: Vec<_> = ranges(&scene).await.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [Some(Reason::Deadline), Some(Reason::Paused), Some(Reason::Deadline)]);
}

pub async fn of_ten_who_pause_at_once_one_does(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let askers = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), pause(&scene.job, None));
        tokio::spawn(async move { store.pause(&request, &planner(Purpose::Pause)).await })
    });
    let mut count = 0;
    for asker in askers.collect::<Vec<_>>() {
        match asker.await.expect("no panic").expect("the store answers") {
            PauseOutcome::Paused { .. } => count += 1,
            PauseOutcome::AlreadyPaused(state) => assert!(state.pause.is_some()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((count, ranges(&scene).await.len()), (1, 1));
}

pub async fn of_ten_who_resume_at_once_one_does(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    paused(&scene, None).await;
    harness.pass(PAUSE).await;
    let askers = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), resume(&scene.job));
        tokio::spawn(async move { store.resume(&request, &planner(Purpose::Resume)).await })
    });
    let mut count = 0;
    for asker in askers.collect::<Vec<_>>() {
        match asker.await.expect("no panic").expect("the store answers") {
            ResumeOutcome::Resumed { .. } => count += 1,
            ResumeOutcome::NotPaused(state) => assert!(state.pause.is_none()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((count, ranges(&scene).await.len()), (1, 2));
}

pub async fn nothing_is_claimed_once_a_pause_was_answered(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for round in 0..5 {
        let now = scene.now().await;
        let claimers = (0..8).map(|number| {
            let store = scene.store.attach();
            let claim = scene.claim_at(now - TimeDelta::milliseconds(number));
            tokio::spawn(async move { store.claim(&[claim]).await })
        });
        let claimers = claimers.collect::<Vec<_>>();
        let (state, _) = paused(&scene, None).await;
        let before: Vec<_> = scene.rows().await.iter().map(|row| row.id).collect();
        for claimer in claimers {
            let outcomes = claimer.await.expect("no panic").expect("the store answers");
            if let ClaimOutcome::Granted(grant) = outcomes[0] {
                assert!(before.contains(&grant.execution_id), "{round}: {grant:?} came after {state:?}");
            }
        }
        assert_eq!(scene.rows().await.len(), before.len(), "{round}");
        resumed(&scene).await;
        harness.pass(Duration::from_millis(20)).await;
    }
}
