//! Jobs and instances (R22).

use std::time::Duration;

use super::scene::{Idle, LEASE, Scene, announce, announcement, beat, heartbeat, job, told};
use crate::{
    conformance::StoreHarness,
    identity::InstanceId,
    store::{AnnounceRequest, Announced, Announcement, ClaimOutcome, Heartbeat, Pause, Refusal, Store},
};

/// A lease short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

async fn announce_within(store: &dyn Store, instance: InstanceId, job: &Announcement, lease: Duration) -> Announced {
    let request = AnnounceRequest { lease, ..told(instance, std::slice::from_ref(job)) };
    store.announce(&request, &Idle).await.expect("the store answers").remove(0)
}

pub async fn a_new_job_owes_nothing_of_the_past(harness: &dyn StoreHarness) {
    let (store, instance) = (harness.store(), InstanceId::random());
    let before = beat(&*store, instance).await;
    let announced = announce(&*store, instance, &announcement(&job("fresh"), "first")).await;
    let after = beat(&*store, instance).await;
    assert!(announced.current);
    assert_eq!((announced.state.job_id.as_str(), announced.state.enabled), ("fresh", true));
    assert_eq!(announced.state.pause, None);
    let watermark = announced.state.watermark;
    assert!(before <= watermark && watermark <= after, "{before} {watermark} {after}");
}

pub async fn an_announcement_repeated_changes_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for instance in [scene.instance, InstanceId::random()] {
        let again = announce(&*scene.store, instance, &announcement(&scene.job, "first")).await;
        assert!(again.current);
        assert_eq!((again.state.revision, again.state.watermark), (scene.revision, scene.watermark));
    }
}

pub async fn a_new_fingerprint_becomes_the_current_revision(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    let announced = announce(&*scene.store, newer, &announcement(&scene.job, "second")).await;
    assert!(announced.current);
    assert_ne!(announced.state.revision, scene.revision);
    assert_eq!(announced.state.watermark, scene.watermark, "nothing was decided that was owed");
    let states = scene.store.states(std::slice::from_ref(&scene.job)).await.expect("the store answers");
    assert_eq!(states, [announced.state]);
}

pub async fn an_older_fingerprint_is_superseded_while_the_newer_is_served(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    let current = announce(&*scene.store, newer, &announcement(&scene.job, "second")).await.state;
    for older in [scene.instance, InstanceId::random()] {
        beat(&*scene.store, older).await;
        let announced = announce(&*scene.store, older, &announcement(&scene.job, "first")).await;
        assert!(!announced.current);
        assert_eq!(announced.state, current, "the state is the job's, not the announcer's");
    }
    assert!(announce(&*scene.store, newer, &announcement(&scene.job, "second")).await.current);
}

pub async fn an_older_fingerprint_comes_back_once_nobody_serves_the_newer(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    let second = announce(&*scene.store, newer, &announcement(&scene.job, "second")).await.state.revision;
    harness.pass(SHORT).await;
    beat(&*scene.store, scene.instance).await;
    let older = announcement(&scene.job, "first");
    let back = announce_within(&*scene.store, scene.instance, &older, SHORT).await;
    assert!(back.current);
    assert_ne!(back.state.revision, second);
    assert_ne!(back.state.revision, scene.revision, "it is a revision of its own");
    beat(&*scene.store, newer).await;
    let superseded = announce_within(&*scene.store, newer, &announcement(&scene.job, "second"), SHORT).await;
    assert!(!superseded.current, "now the other one is the older");
}

pub async fn an_older_fingerprint_comes_back_once_the_newer_has_left(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    announce(&*scene.store, newer, &announcement(&scene.job, "second")).await;
    assert!(!announce(&*scene.store, scene.instance, &announcement(&scene.job, "first")).await.current);
    scene.store.leave(newer).await.expect("the store answers");
    assert!(announce(&*scene.store, scene.instance, &announcement(&scene.job, "first")).await.current);
}

pub async fn a_third_fingerprint_is_new_whatever_is_served(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for fingerprint in ["second", "third"] {
        let newer = InstanceId::random();
        beat(&*scene.store, newer).await;
        assert!(announce(&*scene.store, newer, &announcement(&scene.job, fingerprint)).await.current);
    }
    assert!(!announce(&*scene.store, scene.instance, &announcement(&scene.job, "second")).await.current);
}

pub async fn a_disabled_jobs_schedule_claims_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let disabled = Announcement { enabled: false, ..announcement(&scene.job, "disabled") };
    let state = announce(&*scene.store, scene.instance, &disabled).await.state;
    assert!(!state.enabled);
    let mut claim = scene.claim(1);
    claim.revision = state.revision;
    assert_eq!(scene.try_claim(&claim).await, ClaimOutcome::Refused(Refusal::Paused));
}

pub async fn a_job_enabled_again_owes_nothing_of_the_time_between(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let disabled = Announcement { enabled: false, ..announcement(&scene.job, "disabled") };
    announce(&*scene.store, scene.instance, &disabled).await;
    harness.pass(Duration::from_millis(50)).await;
    let before = scene.now().await;
    let state = announce(&*scene.store, scene.instance, &announcement(&scene.job, "enabled again")).await.state;
    assert!(state.enabled);
    assert!(before <= state.watermark && state.watermark <= scene.now().await);
}

pub async fn announcements_are_answered_in_their_order(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    announce(&*scene.store, newer, &announcement(&scene.job, "second")).await;
    let jobs = [
        announcement(&job("z"), "first"),
        announcement(&scene.job, "first"),
        Announcement { enabled: false, ..announcement(&job("a"), "first") },
    ];
    let announced = scene.store.announce(&told(scene.instance, &jobs), &Idle).await.expect("the store answers");
    let answers: Vec<_> = announced
        .iter()
        .map(|announced| (announced.state.job_id.as_str(), announced.state.enabled, announced.current))
        .collect();
    assert_eq!(answers, [("z", true, true), ("conformance", true, false), ("a", false, true)]);
    assert_eq!(scene.store.announce(&told(scene.instance, &[]), &Idle).await.expect("the store answers"), []);
}

pub async fn ten_instances_that_announce_at_once_agree(harness: &dyn StoreHarness) {
    let store = harness.store();
    let jobs: Vec<_> = ["b", "a", "c"].map(|name| announcement(&job(name), "first")).to_vec();
    let announcers = (0..10).map(|number| {
        let (store, mut jobs) = (store.attach(), jobs.clone());
        // In any order: that must not be a deadlock.
        jobs.rotate_left(number % 3);
        tokio::spawn(async move {
            let instance = InstanceId::random();
            beat(&*store, instance).await;
            store.announce(&told(instance, &jobs), &Idle).await
        })
    });
    let mut states = Vec::new();
    for announcer in announcers.collect::<Vec<_>>() {
        for announced in announcer.await.expect("no panic").expect("the store answers") {
            assert!(announced.current);
            states.push((announced.state.job_id, announced.state.revision.0, announced.state.watermark));
        }
    }
    states.sort();
    states.dedup();
    assert_eq!(states.len(), 3, "one revision and one watermark a job: {states:?}");
}

pub async fn states_are_of_the_jobs_named_that_are_known(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let asked = [job("never-announced"), beside.job.clone(), scene.job.clone()];
    let mut states = scene.store.states(&asked).await.expect("the store answers");
    states.sort_by(|one, other| one.job_id.cmp(&other.job_id));
    let known: Vec<_> = states.iter().map(|state| (&state.job_id, state.revision, state.watermark)).collect();
    let expected = [(&beside.job, beside.revision, beside.watermark), (&scene.job, scene.revision, scene.watermark)];
    assert_eq!(known, expected);
    assert_eq!(scene.store.states(&[]).await.expect("the store answers"), []);
}

pub async fn a_state_tells_its_pause(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = scene.now().await;
    let pause = Pause { at, by: Some("an operator".to_owned()), reason: None, until: Some(at + LEASE) };
    harness.set_pause(&scene.job, Some(pause.clone())).await;
    let read = async || {
        let states = scene.store.states(std::slice::from_ref(&scene.job)).await;
        states.expect("the store answers").remove(0).pause
    };
    assert_eq!(read().await, Some(pause));
    let announced = announce(&*scene.store, scene.instance, &announcement(&scene.job, "first")).await;
    assert!(announced.state.pause.is_some(), "an announcement does not resume it");
    harness.set_pause(&scene.job, None).await;
    assert_eq!(read().await, None);
}

pub async fn a_heartbeat_answers_the_stores_clock(harness: &dyn StoreHarness) {
    let (store, instance) = (harness.store(), InstanceId::random());
    let first = beat(&*store, instance).await;
    harness.pass(Duration::from_millis(50)).await;
    let second = beat(&*store, instance).await;
    assert!((second - first).num_milliseconds() >= 50, "{first} {second}");
}

pub async fn an_instance_is_listed_with_its_last_heartbeat(harness: &dyn StoreHarness) {
    let (store, instance) = (harness.store(), InstanceId::random());
    let first = beat(&*store, instance).await;
    harness.pass(Duration::from_millis(50)).await;
    let changed = Heartbeat { version: "1.2.4".to_owned(), clock_offset_ms: 1_500, ..heartbeat(instance) };
    let second = store.heartbeat(&changed).await.expect("the store answers");
    let listed = store.instances().await.expect("the store answers");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].heartbeat, changed);
    assert_eq!((listed[0].started_at, listed[0].seen_at), (first, second));
}

pub async fn instances_are_listed_newest_heartbeat_first_and_leave(harness: &dyn StoreHarness) {
    let store = harness.store();
    let instances = [InstanceId::random(), InstanceId::random(), InstanceId::random()];
    for index in [0, 1, 2, 0] {
        beat(&*store, instances[index]).await;
        harness.pass(Duration::from_millis(5)).await;
    }
    let listed = async || {
        let listed = store.instances().await.expect("the store answers");
        listed.into_iter().map(|record| record.heartbeat.instance).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [instances[0], instances[2], instances[1]]);
    store.leave(instances[2]).await.expect("the store answers");
    assert_eq!(listed().await, [instances[0], instances[1]]);
    store.leave(instances[2]).await.expect("one that has left may leave");
}
