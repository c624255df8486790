//! Switches from one revision of a job to another (R22).

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    frequent::{PERIOD, assert_covers, frequent, occurrences, patient, planner, ranges, scene, strict},
    scene::{Idle, LEASE, Scene, announce, announcement, beat, finish, job, told},
};
use crate::{
    conformance::StoreHarness,
    duty::plan::Purpose,
    identity::InstanceId,
    job::OverlapPolicy,
    occurrence::Origin,
    status::{Reason, Status},
    store::{
        Actor, AnnounceRequest, Announced, Announcement, Claim, ClaimOutcome, PauseOutcome, PauseRequest, Refusal,
        ResumeOutcome, ResumeRequest,
    },
};

/// The frequent job's next revision, due each hour.
fn hourly() -> Announcement {
    Announcement {
        fingerprint: "second".to_owned(),
        trigger: "every 1h".to_owned(),
        ..frequent(serde_json::json!({"start_deadline_ms": 600_000}))
    }
}

/// Announces a revision by which another one is replaced; what is owed is decided.
async fn switched(scene: &Scene<'_>, announcement: &Announcement) -> Announced {
    let request = told(scene.instance, std::slice::from_ref(announcement));
    let mut announced = scene.store.announce(&request, &planner(Purpose::Switch)).await.expect("the store answers");
    assert!(announced[0].current, "{announced:?}");
    announced.remove(0)
}

pub async fn a_jobs_revisions_are_kept_with_their_spans(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let state = switched(&scene, &Announcement { enabled: false, ..hourly() }).await.state;
    let revisions = scene.store.revisions(&scene.job).await.expect("the store answers");
    assert_eq!(revisions.len(), 2);
    let [new, old] = &revisions[..] else { panic!("{revisions:?}") };
    assert_eq!((new.id, &*new.fingerprint, &*new.trigger), (state.revision, "second", "every 1h"));
    assert_eq!((old.id, &*old.fingerprint, &*old.trigger), (scene.revision, "first", "every 10ms"));
    assert_eq!((new.enabled, old.enabled), (false, true));
    assert_eq!((&*new.policies, &*old.policies), (&hourly().policies, &strict()));
    assert_eq!((new.zone.as_deref(), new.zone_data.as_deref()), (Some("Asia/Jakarta"), Some("2026a")));
    let ended = old.valid_to.expect("it is no longer the current one");
    assert!(scene.watermark <= ended && ended <= new.valid_from, "{revisions:?}");
    assert!(new.valid_from - ended < TimeDelta::seconds(10) && new.valid_to.is_none(), "{revisions:?}");
    let unknown = scene.store.revisions(&job("never-announced")).await.expect("the store answers");
    assert!(unknown.is_empty());
}

pub async fn what_is_owed_at_a_switch_and_within_its_deadline_waits(harness: &dyn StoreHarness) {
    let scene = scene(harness, patient()).await;
    let announced = switched(&scene, &hourly()).await;
    let owed = occurrences(scene.watermark, announced.state.watermark);
    assert!(owed.len() >= 15, "{owed:?}");
    let decided = announced.decided.expect("the job's revision was switched");
    assert_eq!((decided.waiting, decided.missed, decided.caught_up), (owed.len(), 0, 0));
    for at in owed {
        let row = scene.newest(at).await.expect("it has a row");
        assert_eq!((row.status, row.origin), (Status::Pending, Origin::Schedule));
        assert!(!row.holds_key && !row.queued);
    }
    assert_eq!(scene.due().await.len(), 1, "and goes on at once");
}

pub async fn what_is_owed_at_a_switch_and_late_is_missed_by_the_old_trigger(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let announced = switched(&scene, &hourly()).await;
    let rows = scene.rows().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_covers(&rows[0], (Status::Missed, Reason::Deadline), scene.watermark, announced.state.watermark);
    assert_eq!(announced.decided.map(|decided| decided.missed), rows[0].missed_count);
}

pub async fn the_new_trigger_owes_nothing_of_before_the_switch(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await.beside_as(hourly()).await;
    let before = scene.now().await;
    let state = switched(&scene, &frequent(strict())).await.state;
    assert!(before <= state.watermark && state.watermark <= scene.now().await);
    assert!(scene.rows().await.is_empty(), "the old one owed nothing");
    let of_before = Claim { revision: state.revision, ..scene.claim_at(occurrences(scene.watermark, before)[0]) };
    assert_eq!(scene.try_claim(&of_before).await, ClaimOutcome::Refused(Refusal::Passed));
}

pub async fn what_has_its_row_at_a_switch_is_not_decided_again(harness: &dyn StoreHarness) {
    let scene = scene(harness, patient()).await;
    let owed = occurrences(scene.watermark, scene.now().await);
    let grant = scene.granted(&scene.claim_at(owed[3])).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    let running = scene.granted(&scene.claim_at(owed[5])).await;
    let announced = switched(&scene, &hourly()).await;
    let all = occurrences(scene.watermark, announced.state.watermark).len();
    assert_eq!(announced.decided.map(|decided| decided.waiting), Some(all - 2));
    assert_eq!(scene.rows().await.len(), all);
    // Under whatever revision it began, a run goes on.
    assert!(scene.renew(running, LEASE).await.is_some());
    scene.finished(&finish(running, Status::Succeeded)).await;
}

pub async fn a_revision_that_disables_a_job_decides_first_what_is_owed(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let disabled = Announcement { enabled: false, fingerprint: "disabled".to_owned(), ..frequent(strict()) };
    let state = switched(&scene, &disabled).await.state;
    assert!(!state.enabled);
    let rows = scene.rows().await;
    assert_covers(&rows[0], (Status::Missed, Reason::Deadline), scene.watermark, state.watermark);
    harness.pass(PERIOD * 5).await;
    let enabled = Announcement { fingerprint: "enabled again".to_owned(), ..frequent(strict()) };
    let again = switched(&scene, &enabled).await.state;
    assert!(again.enabled && again.watermark > state.watermark);
    assert_eq!(scene.rows().await, rows, "the time in which it was disabled is never owed");
}

pub async fn a_paused_jobs_switch_skips_what_fell_in_the_pause_so_far(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let pause = PauseRequest { job_id: scene.job.clone(), actor: Actor::new("ayu"), until: None };
    let outcome = scene.store.pause(&pause, &planner(Purpose::Pause)).await.expect("the store answers");
    let PauseOutcome::Paused { state: before, .. } = outcome else { panic!("{outcome:?}") };
    harness.pass(PERIOD * 10).await;
    let state = switched(&scene, &hourly()).await.state;
    assert_eq!(state.pause, before.pause, "it goes on");
    let rows = ranges(&scene).await;
    assert_covers(&rows[1], (Status::Skipped, Reason::Paused), before.watermark, state.watermark);
    harness.pass(PERIOD * 2).await;
    let resume = ResumeRequest { job_id: scene.job.clone(), actor: Actor::new("ayu") };
    let outcome = scene.store.resume(&resume, &planner(Purpose::Resume)).await.expect("the store answers");
    assert!(matches!(outcome, ResumeOutcome::Resumed { .. }), "{outcome:?}");
    assert_eq!(ranges(&scene).await, rows, "no hour has gone by since");
}

pub async fn what_was_owed_under_a_trigger_that_can_not_be_read_is_missed_as_a_whole(harness: &dyn StoreHarness) {
    let unreadable = Announcement { trigger: "each second tuesday".to_owned(), ..frequent(patient()) };
    let scene = Scene::new(harness).await.beside_as(unreadable).await;
    let state = switched(&scene, &hourly()).await.state;
    let rows = scene.rows().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].status, rows[0].reason), (Status::Missed, Some(Reason::Deadline)));
    assert_eq!(rows[0].missed_count, Some(0), "nobody knows how many");
    let first = rows[0].missed_from.expect("it is a range");
    assert!(scene.watermark < first && first - scene.watermark <= TimeDelta::milliseconds(1), "{rows:?}");
    assert!(
        rows[0].scheduled_at <= state.watermark && state.watermark - rows[0].scheduled_at < TimeDelta::milliseconds(2)
    );
    assert_eq!(scene.try_claim(&Claim { revision: state.revision, ..scene.claim(50) }).await, refused());
}

const fn refused() -> ClaimOutcome {
    ClaimOutcome::Refused(Refusal::Passed)
}

pub async fn an_announcement_that_switches_nothing_decides_nothing(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let again = switched(&scene, &frequent(strict())).await;
    assert_eq!((again.decided, again.state.watermark), (None, scene.watermark));
    let fresh = Announcement { job_id: job("fresh"), ..frequent(strict()) };
    assert_eq!(switched(&scene, &fresh).await.decided, None, "a new job owes nothing");
    assert!(scene.rows().await.is_empty());
}

pub async fn an_older_revision_comes_back_only_where_it_may(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    announce(&*scene.store, newer, &announcement(&scene.job, "second")).await;
    scene.store.leave(newer).await.expect("the store answers");
    let of = |fingerprint: &str, may_roll_back| {
        let jobs = vec![announcement(&scene.job, fingerprint)];
        AnnounceRequest { instance: scene.instance, jobs, lease: LEASE, may_roll_back }
    };
    let current = async |request: &AnnounceRequest| {
        scene.store.announce(request, &Idle).await.expect("the store answers")[0].current
    };
    assert!(!current(&of("first", false)).await, "though nobody announces the newer one");
    assert!(current(&of("first", true)).await);
    assert!(current(&of("third", false)).await, "one that nobody ever had is new");
}

pub async fn a_job_that_no_live_instance_announces_is_orphaned(harness: &dyn StoreHarness) {
    let short = Duration::from_millis(500);
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    let orphaned = async |lease| {
        let orphaned = scene.store.orphaned(lease).await.expect("the store answers");
        orphaned.iter().map(|state| state.job_id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(orphaned(LEASE).await, []);
    let newer = InstanceId::random();
    beat(&*scene.store, newer).await;
    announce(&*scene.store, newer, &announcement(&scene.job, "second")).await;
    announce(&*scene.store, scene.instance, &announcement(&scene.job, "first")).await;
    scene.store.leave(newer).await.expect("the store answers");
    assert_eq!(orphaned(LEASE).await, [], "somebody has it, if not in its current revision");
    harness.pass(short).await;
    assert_eq!(orphaned(short).await, [beside.job.clone(), scene.job.clone()], "its instance is silent");
    scene.now().await;
    assert_eq!(orphaned(short).await, []);
    scene.store.leave(scene.instance).await.expect("the store answers");
    assert_eq!(orphaned(LEASE).await, [beside.job, scene.job.clone()]);
    assert_eq!(scene.store.orphaned(LEASE).await.expect("the store answers")[1], scene.state().await);
}

pub async fn of_ten_who_switch_at_once_one_does(harness: &dyn StoreHarness) {
    let scene = scene(harness, strict()).await;
    let announcers = (0..10).map(|_| {
        let (store, request) = (scene.store.attach(), told(InstanceId::random(), &[hourly()]));
        tokio::spawn(async move { store.announce(&request, &planner(Purpose::Switch)).await })
    });
    let (mut switches, mut states) = (0, Vec::new());
    for announcer in announcers.collect::<Vec<_>>() {
        let announced = announcer.await.expect("no panic").expect("the store answers").remove(0);
        assert!(announced.current);
        switches += usize::from(announced.decided.is_some());
        states.push(announced.state);
    }
    states.dedup();
    assert_eq!((switches, states.len(), scene.rows().await.len()), (1, 1, 1));
    assert_eq!(scene.store.revisions(&scene.job).await.expect("the store answers").len(), 2);
}

pub async fn a_claim_and_a_switch_at_once_decide_an_occurrence_once(harness: &dyn StoreHarness) {
    let scene = scene(harness, patient()).await;
    let owed = occurrences(scene.watermark, scene.now().await);
    // Few enough for a connection each.
    let claims: Vec<_> = owed
        .iter()
        .take(8)
        .map(|at| Claim { overlap: OverlapPolicy::Allow, ..scene.claim_at(*at) })
        .map(|claim| {
            let store = scene.store.attach();
            tokio::spawn(async move { store.claim(&[claim]).await })
        })
        .collect();
    let state = switched(&scene, &hourly()).await.state;
    let mut granted = 0;
    for claim in claims {
        match claim.await.expect("no panic").expect("the store answers")[0] {
            ClaimOutcome::Granted(_) => granted += 1,
            ClaimOutcome::Refused(Refusal::AlreadyDecided | Refusal::Passed | Refusal::Superseded) => {}
            ref other => panic!("{other:?}"),
        }
    }
    let rows = scene.rows().await;
    let running = rows.iter().filter(|row| row.status == Status::Running).count();
    assert_eq!((rows.len(), running), (occurrences(scene.watermark, state.watermark).len(), granted));
}
