//! Claims of first attempts (R1, R8, R16).

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;

use super::scene::{LEASE, Scene, announce, announcement, finish, job};
use crate::{
    conformance::StoreHarness,
    identity::{ClaimId, InstanceId, RevisionId},
    job::OverlapPolicy,
    occurrence::Origin,
    status::{Reason, Status},
    store::{Claim, ClaimOutcome, LostClaim, Pause, Refusal},
};

fn refused(refusal: Refusal) -> ClaimOutcome {
    ClaimOutcome::Refused(refusal)
}

pub async fn a_claim_writes_its_running_row(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let before = scene.now().await;
    let grant = scene.granted(&claim).await;
    let row = scene.row(grant.execution_id).await;
    assert_eq!((&row.job_id, &row.occurrence), (&claim.job_id, &claim.occurrence));
    assert_eq!((row.attempt, row.max_attempts), (1, 3));
    assert_eq!((row.origin, row.status, row.reason), (Origin::Schedule, Status::Running, None));
    assert_eq!((row.scheduled_at, row.not_before), (claim.scheduled_at, claim.not_before));
    assert_eq!(row.started_at, Some(grant.started_at));
    assert!(before <= grant.started_at && grant.started_at <= scene.now().await, "by the store's clock");
    assert_eq!((row.finished_at, row.duration_seconds), (None, None));
    assert!(row.holds_key && !row.queued && !row.late);
    assert_eq!((row.claim_id, row.fence), (Some(claim.claim_id), Some(grant.fence)));
    assert_eq!(row.instance, Some(scene.instance));
    assert_eq!((row.triggered_by, row.params, row.message), (None, None, None));
    assert_eq!((row.missed_from, row.missed_count), (None, None));
}

pub async fn a_claim_is_granted_a_lease(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    assert!(scene.recover().await.is_empty(), "the lease lives");
    assert!(scene.renew(grant, LEASE).await.is_some());
}

pub async fn an_occurrence_is_claimed_once(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let first = scene.granted(&scene.claim(1)).await;
    let second = Claim { instance: InstanceId::random(), ..scene.claim(1) };
    assert_eq!(scene.try_claim(&second).await, refused(Refusal::AlreadyDecided));
    let row = scene.row(first.execution_id).await;
    assert_eq!((row.status, row.fence, row.instance), (Status::Running, Some(first.fence), Some(scene.instance)));
}

/// R1: a claim is granted once, whoever asks.
pub async fn of_ten_claimers_one_is_granted_an_occurrence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for round in 1..=5 {
        let claimers = (0..10).map(|_| {
            let store = scene.store.attach();
            let claim = Claim { instance: InstanceId::random(), ..scene.claim(round) };
            tokio::spawn(async move { store.claim(&[claim]).await })
        });
        let mut outcomes = Vec::new();
        for claimer in claimers.collect::<Vec<_>>() {
            outcomes.extend(claimer.await.expect("no panic").expect("the store answers"));
        }
        let granted: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                ClaimOutcome::Granted(grant) => Some(*grant),
                _ => None,
            })
            .collect();
        assert_eq!(granted.len(), 1, "{outcomes:?}");
        let others = outcomes.iter().filter(|outcome| **outcome == refused(Refusal::AlreadyDecided)).count();
        assert_eq!(others, 9, "{outcomes:?}");
        scene.finished(&finish(granted[0], Status::Succeeded)).await;
    }
}

pub async fn a_claim_repeated_with_its_id_is_granted_again_with_the_same_fence(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let first = scene.granted(&claim).await;
    assert_eq!(scene.granted(&claim).await, first);
    // Whatever else has changed since: the row is there and runs.
    scene.pause().await;
    assert_eq!(scene.granted(&claim).await, first);
    let late = Claim { deadline: scene.now().await - TimeDelta::milliseconds(1), ..claim };
    assert_eq!(scene.granted(&late).await, first);
}

pub async fn a_repetition_within_one_batch_is_granted_again(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let outcomes = scene.store.claim(&[claim.clone(), claim]).await.expect("the store answers");
    assert!(matches!(outcomes[0], ClaimOutcome::Granted(_)), "{outcomes:?}");
    assert_eq!(outcomes[0], outcomes[1]);
}

pub async fn a_repeated_claim_is_refused_once_its_run_has_ended(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let grant = scene.granted(&claim).await;
    scene.finished(&finish(grant, Status::Succeeded)).await;
    assert_eq!(scene.try_claim(&claim).await, refused(Refusal::AlreadyDecided));
}

pub async fn a_repeated_claim_is_refused_once_its_run_was_recovered(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = Claim { rerun_on_crash: true, ..scene.claim(1) };
    let grant = scene.granted(&claim).await;
    scene.recovered(grant).await;
    assert_eq!(scene.try_claim(&claim).await, refused(Refusal::AlreadyDecided));
}

pub async fn a_claimed_occurrence_is_refused_after_the_lease_ended(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    harness.expire_lease(grant.execution_id).await;
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::AlreadyDecided));
    scene.recover().await;
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::AlreadyDecided));
}

pub async fn a_finished_occurrence_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for (millis, status) in [(1, Status::Succeeded), (2, Status::Failed), (3, Status::TimedOut)] {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, status)).await;
        assert_eq!(scene.try_claim(&scene.claim(millis)).await, refused(Refusal::AlreadyDecided), "{status}");
    }
}

pub async fn an_occurrence_at_or_below_the_watermark_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for below in [0, 1_000, 3_600_000] {
        let claim = scene.claim_at(scene.watermark - TimeDelta::milliseconds(below));
        assert_eq!(scene.try_claim(&claim).await, refused(Refusal::Passed), "{below} ms below");
        assert_eq!(scene.newest(claim.scheduled_at).await, None, "nothing was written");
    }
}

pub async fn an_unknown_job_claims_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = Claim { job_id: job("never-announced"), ..scene.claim(1) };
    assert_eq!(scene.try_claim(&claim).await, refused(Refusal::Superseded));
}

pub async fn a_superseded_revision_claims_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let newer = announce(&*scene.store, InstanceId::random(), &announcement(&scene.job, "second")).await;
    assert!(newer.current && newer.state.revision != scene.revision);
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::Superseded));
    let of_nobody = Claim { revision: RevisionId(i64::MAX), ..scene.claim(1) };
    assert_eq!(scene.try_claim(&of_nobody).await, refused(Refusal::Superseded));
    assert_eq!(scene.newest(scene.at(1)).await, None, "nothing was written");
    scene.granted(&Claim { revision: newer.state.revision, ..scene.claim(1) }).await;
}

pub async fn a_paused_job_claims_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    scene.pause().await;
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::Paused));
    assert_eq!(scene.newest(scene.at(1)).await, None, "nothing was written");
    beside.granted(&beside.claim(1)).await;
}

pub async fn a_paused_job_claims_nothing_even_past_the_pauses_end(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let now = scene.now().await;
    let until = Some(now - TimeDelta::milliseconds(50));
    let over = Pause { at: now - TimeDelta::milliseconds(100), by: None, reason: None, until };
    harness.set_pause(&scene.job, Some(over)).await;
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::Paused));
}

pub async fn a_resumed_job_claims_again(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.pause().await;
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::Paused));
    scene.resume().await;
    scene.granted(&scene.claim(1)).await;
}

pub async fn an_early_claim_is_refused_and_told_how_long_to_wait(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let at = scene.now().await + TimeDelta::seconds(30);
    match scene.try_claim(&scene.claim_at(at)).await {
        ClaimOutcome::Refused(Refusal::NotDue { remaining }) => {
            assert!(remaining > Duration::from_secs(20) && remaining <= Duration::from_secs(30), "{remaining:?}");
        }
        other => panic!("expected `NotDue`, got {other:?}"),
    }
    // An occurrence that has come may have an earliest start that has not.
    let jittered = Claim { not_before: at, ..scene.claim(1) };
    let outcome = scene.try_claim(&jittered).await;
    assert!(matches!(outcome, ClaimOutcome::Refused(Refusal::NotDue { .. })), "{outcome:?}");
    assert_eq!((scene.newest(at).await, scene.newest(scene.at(1)).await), (None, None), "nothing was written");
}

pub async fn a_claim_may_come_fifty_milliseconds_early(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    // A server takes a few of them to get here.
    let at = scene.now().await + TimeDelta::milliseconds(45);
    let grant = scene.granted(&Claim { not_before: at, ..scene.claim(1) }).await;
    assert_eq!(grant.started_at, at, "its body starts at the instant");
    let row = scene.row(grant.execution_id).await;
    assert!(row.created_at < at && row.started_at == Some(at), "{row:?}");
    scene.retried(grant, Duration::ZERO).await;
    let row = scene.row(grant.execution_id).await;
    assert!(row.finished_at >= row.started_at, "{row:?}");
}

/// R1, R17: what is not due yet meets nobody.
pub async fn an_early_claim_that_meets_a_holder_is_asked_for_again(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&scene.claim(1)).await;
    let policies = [OverlapPolicy::Skip, OverlapPolicy::QueueOne, OverlapPolicy::CancelRunning];
    for (millis, overlap) in (2..).zip(policies) {
        let at = scene.now().await + TimeDelta::milliseconds(45);
        let claim = Claim { not_before: at, overlap, ..scene.claim(millis) };
        let outcome = scene.try_claim(&claim).await;
        assert!(matches!(outcome, ClaimOutcome::Refused(Refusal::NotDue { .. })), "{overlap:?}: {outcome:?}");
        assert_eq!(scene.newest(scene.at(millis)).await, None, "{overlap:?}: nothing was written");
    }
    assert!(!scene.renew(holder, super::scene::LEASE).await.expect("its lease lives").cancel_requested);
}

pub async fn a_claim_past_its_deadline_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let past = Claim { deadline: scene.now().await, ..scene.claim(1) };
    assert_eq!(scene.try_claim(&past).await, refused(Refusal::DeadlinePassed));
    assert_eq!(scene.newest(scene.at(1)).await, None, "nothing was written");
}

pub async fn an_occurrence_that_meets_a_holder_is_skipped_under_skip(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&scene.claim(1)).await;
    let claim = Claim { instance: InstanceId::random(), ..scene.claim(2) };
    let ClaimOutcome::Skipped { execution_id, reason } = scene.try_claim(&claim).await else {
        panic!("it was not skipped")
    };
    assert_eq!(reason, Reason::Overlap);
    let row = scene.row(execution_id).await;
    assert_eq!((row.status, row.reason), (Status::Skipped, Some(Reason::Overlap)));
    assert_eq!((row.scheduled_at, row.origin, row.attempt), (scene.at(2), Origin::Schedule, 1));
    assert_eq!((row.started_at, row.fence, row.holds_key), (None, None, false));
    assert!(execution_id > holder.execution_id);
    assert_eq!(scene.row(holder.execution_id).await.status, Status::Running);
}

pub async fn a_skipped_occurrence_is_decided(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let holder = scene.granted(&scene.claim(1)).await;
    assert!(matches!(scene.try_claim(&scene.claim(2)).await, ClaimOutcome::Skipped { .. }));
    assert_eq!(scene.try_claim(&scene.claim(2)).await, refused(Refusal::AlreadyDecided));
    scene.finished(&finish(holder, Status::Succeeded)).await;
    assert_eq!(scene.try_claim(&scene.claim(2)).await, refused(Refusal::AlreadyDecided));
    assert!(scene.due().await.is_empty());
}

pub async fn already_decided_is_asked_before_everything_else(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&scene.claim(1)).await;
    // Its own row holds the key: that is no overlap.
    assert_eq!(scene.try_claim(&scene.claim(1)).await, refused(Refusal::AlreadyDecided));
    scene.pause().await;
    let late = scene.now().await;
    for claim in [
        scene.claim(1),
        Claim { deadline: late, ..scene.claim(1) },
        Claim { revision: RevisionId(i64::MAX), ..scene.claim(1) },
        Claim { not_before: late + TimeDelta::seconds(60), ..scene.claim(1) },
    ] {
        assert_eq!(scene.try_claim(&claim).await, refused(Refusal::AlreadyDecided), "{claim:?}");
    }
    assert_eq!(scene.try_claim(&scene.claim_at(scene.watermark)).await, refused(Refusal::Passed));
}

pub async fn jobs_hold_keys_of_their_own(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let beside = scene.beside("beside").await;
    scene.granted(&scene.claim(1)).await;
    beside.granted(&beside.claim(1)).await;
}

pub async fn under_allow_occurrences_run_side_by_side_and_hold_nothing(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let allow = |millis| Claim { overlap: OverlapPolicy::Allow, ..scene.claim(millis) };
    let first = scene.granted(&allow(1)).await;
    let second = scene.granted(&allow(2)).await;
    for grant in [first, second] {
        let row = scene.row(grant.execution_id).await;
        assert_eq!((row.status, row.holds_key), (Status::Running, false));
    }
    assert_eq!(scene.try_claim(&allow(1)).await, refused(Refusal::AlreadyDecided));
    scene.granted(&scene.claim(3)).await;
}

pub async fn a_finished_run_frees_the_key(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    for (millis, status) in [(1, Status::Succeeded), (2, Status::Failed), (3, Status::Cancelled)] {
        let grant = scene.granted(&scene.claim(millis)).await;
        scene.finished(&finish(grant, status)).await;
    }
    scene.granted(&scene.claim(4)).await;
}

pub async fn a_recovered_run_frees_the_key(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let grant = scene.granted(&scene.claim(1)).await;
    scene.recovered(grant).await;
    scene.granted(&scene.claim(2)).await;
}

pub async fn fences_grow_with_each_grant(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let mut last = None;
    for millis in 1..=5 {
        let grant = scene.granted(&scene.claim(millis)).await;
        assert!(Some(grant.fence) > last, "{grant:?} after {last:?}");
        let retry = scene.retried(grant, Duration::ZERO).await;
        let (again, _) = scene.taken(&scene.take(retry)).await;
        assert!(again.fence > grant.fence, "{again:?} after {grant:?}");
        scene.finished(&finish(again, Status::Succeeded)).await;
        last = Some(again.fence);
    }
}

pub async fn one_claims_refusal_leaves_the_others_of_its_batch(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let (paused, busy) = (scene.beside("paused").await, scene.beside("busy").await);
    let free = scene.beside("free").await;
    paused.pause().await;
    let holder = busy.granted(&busy.claim(1)).await;
    let batch = [
        Claim { job_id: job("never-announced"), ..scene.claim(1) },
        scene.claim(1),
        paused.claim(1),
        busy.claim(1),
        busy.claim(2),
        Claim { deadline: scene.at(1), ..free.claim(1) },
        free.claim_at(free.now().await + TimeDelta::seconds(60)),
        free.claim(2),
    ];
    let outcomes = scene.store.claim(&batch).await.expect("the store answers");
    assert_eq!(outcomes.len(), batch.len());
    assert_eq!(outcomes[0], refused(Refusal::Superseded));
    assert!(matches!(outcomes[1], ClaimOutcome::Granted(_)), "{:?}", outcomes[1]);
    assert_eq!(outcomes[2], refused(Refusal::Paused));
    assert_eq!(outcomes[3], refused(Refusal::AlreadyDecided));
    assert!(matches!(outcomes[4], ClaimOutcome::Skipped { reason: Reason::Overlap, .. }), "{:?}", outcomes[4]);
    assert_eq!(outcomes[5], refused(Refusal::DeadlinePassed));
    assert!(matches!(outcomes[6], ClaimOutcome::Refused(Refusal::NotDue { .. })), "{:?}", outcomes[6]);
    let ClaimOutcome::Granted(last) = outcomes[7] else { panic!("{:?}", outcomes[7]) };
    assert_eq!(scene.row(last.execution_id).await.job_id, free.job);
    assert_eq!(scene.row(holder.execution_id).await.status, Status::Running);
}

pub async fn claims_of_one_job_in_a_batch_are_decided_in_order(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let batch = [scene.claim(1), scene.claim(2), scene.claim(3)];
    let outcomes = scene.store.claim(&batch).await.expect("the store answers");
    assert!(matches!(outcomes[0], ClaimOutcome::Granted(_)), "{outcomes:?}");
    assert!(outcomes[1..].iter().all(|outcome| matches!(outcome, ClaimOutcome::Skipped { .. })), "{outcomes:?}");
    let allowed = [4, 5, 6].map(|millis| Claim { overlap: OverlapPolicy::Allow, ..scene.claim(millis) });
    let outcomes = scene.store.claim(&allowed).await.expect("the store answers");
    let fences: HashSet<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            ClaimOutcome::Granted(grant) => grant.fence,
            other => panic!("expected a grant, got {other:?}"),
        })
        .collect();
    assert_eq!(fences.len(), 3, "{outcomes:?}");
}

pub async fn an_empty_batch_of_claims_has_no_outcomes(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    assert_eq!(scene.store.claim(&[]).await.expect("the store answers"), Vec::new());
}

pub async fn a_claim_that_was_never_made_is_not_found(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let grant = scene.granted(&claim).await;
    let never = LostClaim { claim_id: ClaimId::random(), ..LostClaim::of(&claim) };
    assert_eq!(scene.store.find_claim(&never).await.expect("the store answers"), None);
    let never = LostClaim::of_row(ClaimId::random(), grant.execution_id);
    assert_eq!(scene.store.find_claim(&never).await.expect("the store answers"), None);
}

pub async fn a_lost_claim_is_found_by_its_id(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let grant = scene.granted(&claim).await;
    let found = scene.store.find_claim(&LostClaim::of(&claim)).await.expect("the store answers").expect("it committed");
    assert_eq!((found.grant, found.status), (grant, Status::Running));
    let retry = scene.retried(grant, Duration::ZERO).await;
    let found = scene.store.find_claim(&LostClaim::of(&claim)).await.expect("the store answers").expect("it committed");
    assert_eq!((found.grant, found.status, found.lease_left), (grant, Status::Failed, Duration::ZERO));
    let take = scene.take(retry);
    let (grant, _) = scene.taken(&take).await;
    let found =
        scene.store.find_claim(&LostClaim::of_take(&take)).await.expect("the store answers").expect("it committed");
    assert_eq!((found.grant, found.status), (grant, Status::Running));
}

pub async fn a_found_claim_tells_how_much_lease_is_left(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let claim = scene.claim(1);
    let grant = scene.granted(&claim).await;
    let left = async || {
        let found =
            scene.store.find_claim(&LostClaim::of(&claim)).await.expect("the store answers").expect("it committed");
        found.lease_left
    };
    let at_first = left().await;
    assert!(at_first > LEASE / 2 && at_first <= LEASE, "{at_first:?}");
    harness.pass(Duration::from_millis(100)).await;
    assert!(left().await <= LEASE - Duration::from_millis(100));
    harness.expire_lease(grant.execution_id).await;
    assert_eq!(left().await, Duration::ZERO);
}

pub async fn a_refused_claim_is_not_found(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    scene.granted(&scene.claim(1)).await;
    let refused = scene.claim(1);
    scene.try_claim(&refused).await;
    assert_eq!(scene.store.find_claim(&LostClaim::of(&refused)).await.expect("the store answers"), None);
}

pub async fn attached_handles_share_the_rows(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness).await;
    let attached = scene.store.attach();
    attached.check().await.expect("the store answers");
    assert_eq!(attached.capabilities(), scene.store.capabilities());
    let grant = scene.granted(&scene.claim(1)).await;
    let row = attached.execution(grant.execution_id).await.expect("the store answers").expect("the row is there");
    assert_eq!(row, scene.row(grant.execution_id).await);
    let outcome = attached.claim(&[scene.claim(1)]).await.expect("the store answers");
    assert_eq!(outcome, [refused(Refusal::AlreadyDecided)]);
}
