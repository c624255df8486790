//! Looks at many jobs, and the watermarks that follow (R12).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::scene::Scene;
use crate::{
    conformance::StoreHarness,
    identity::{JobId, RevisionId},
    store::{DecidedRow, JobState, SurveyRequest, Surveyed, SurveyedJob, WatermarkMove},
};

async fn survey(scene: &Scene<'_>, jobs: &[(&JobId, bool)], limit: usize) -> Vec<Surveyed> {
    let jobs = jobs.iter().map(|(job, with_rows)| SurveyedJob { job_id: (*job).clone(), with_rows: *with_rows });
    let request = SurveyRequest { jobs: jobs.collect(), lag: Duration::ZERO, limit };
    let before = scene.now().await;
    let survey = scene.store.survey(&request).await.expect("the store answers");
    assert!(before <= survey.now && survey.now <= scene.now().await, "by the store's clock");
    survey.jobs
}

fn own(scheduled_at: DateTime<Utc>) -> DecidedRow {
    DecidedRow { scheduled_at, missed_from: None }
}

async fn advance(scene: &Scene<'_>, state: &JobState, to: DateTime<Utc>) -> Vec<JobId> {
    let one = WatermarkMove { job_id: state.job_id.clone(), revision: state.revision, from: state.watermark, to };
    scene.store.advance(&[one]).await.expect("the store answers")
}

pub async fn a_look_at_many_jobs_sees_their_states_and_rows(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    for millis in [20, 10] {
        scene.try_claim(&scene.claim(millis)).await;
    }
    beside.granted(&beside.claim(1)).await;
    let unknown = JobId::parse("unknown").expect("valid");
    let mut seen = survey(&scene, &[(&scene.job, true), (&beside.job, false), (&unknown, true)], 100).await;
    seen.sort_by_key(|seen| seen.state.job_id != scene.job);
    assert_eq!(seen.len(), 2, "one that is not known is left out");
    assert_eq!((&seen[0].state, &seen[1].state), (&scene.state().await, &beside.state().await));
    assert_eq!(seen[0].rows, [own(scene.at(10)), own(scene.at(20))]);
    assert!(seen[1].rows.is_empty(), "they were not asked for");
    assert!(seen.iter().all(|seen| !seen.is_cut));
}

pub async fn a_look_at_many_jobs_reads_so_many_rows_of_each(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for millis in [10, 20, 30] {
        scene.try_claim(&scene.claim(millis)).await;
    }
    let seen = survey(&scene, &[(&scene.job, true)], 2).await;
    assert_eq!(seen[0].rows, [own(scene.at(10)), own(scene.at(20))]);
    assert!(seen[0].is_cut);
    assert!(!survey(&scene, &[(&scene.job, true)], 3).await[0].is_cut);
}

pub async fn a_watermark_follows_what_is_decided(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&scene.claim(10)).await;
    let moved = advance(&scene, &scene.state().await, scene.at(10)).await;
    assert_eq!(moved, std::slice::from_ref(&scene.job));
    assert_eq!(scene.state().await.watermark, scene.at(10));
    assert!(survey(&scene, &[(&scene.job, true)], 10).await[0].rows.is_empty(), "nothing lies above it");
}

/// R12: a watermark moves only over what was looked at as it still is.
pub async fn a_watermark_stays_where_something_has_changed_since_it_was_seen(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let seen = scene.state().await;
    let changed = [
        JobState { watermark: seen.watermark - TimeDelta::milliseconds(1), ..seen.clone() },
        JobState { revision: RevisionId(i64::MAX), ..seen.clone() },
        JobState { job_id: JobId::parse("unknown").expect("valid"), ..seen.clone() },
    ];
    for changed in changed {
        assert!(advance(&scene, &changed, scene.at(10)).await.is_empty(), "{changed:?}");
    }
    scene.pause().await;
    assert!(advance(&scene, &seen, scene.at(10)).await.is_empty(), "what falls in a pause is decided at its end");
    scene.resume().await;
    assert_eq!(scene.state().await.watermark, seen.watermark);
    assert_eq!(advance(&scene, &seen, scene.at(10)).await.len(), 1);
}
