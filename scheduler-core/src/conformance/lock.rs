//! What a lock backend must do.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::LockHarness;
use crate::{
    identity::{InstanceId, JobId},
    lock::{AcquireRequest, Acquired, CURSOR_LIFE, LockLease, LockMode, LockOccurrence},
};

/// Runs the suite of lock backends: one test a case, each with a harness of its own.
///
/// The argument is an async function that makes a [`LockHarness`](crate::conformance::LockHarness).
#[macro_export]
macro_rules! lock_conformance {
    ($harness:expr) => {
        $crate::__conformance_cases! { $harness, lock:
            the_filter_grants_an_occurrence_to_one_owner
            the_filter_grants_the_same_owner_and_occurrence_again
            the_filter_refuses_what_lies_below_the_cursor_even_to_its_owner
            the_filter_grants_the_next_occurrence_to_anybody
            an_occurrence_that_is_not_due_leaves_the_cursor
            an_occurrence_is_not_due_before_its_earliest_start
            the_filter_grants_no_lease
            jobs_have_keys_of_their_own
            answers_are_in_the_order_of_the_requests
            an_empty_batch_has_no_answers
            the_cursor_tells_the_newest_granted_occurrence
            a_cursor_lives_seven_days_from_its_last_move
            a_lease_excludes_every_other
            a_held_key_leaves_the_cursor
            a_lease_moves_the_cursor
            the_same_owner_and_occurrence_is_granted_with_the_same_fence_while_the_lease_lives
            a_repeated_grant_lives_as_long_as_a_new_one
            a_claimed_occurrence_is_refused_after_the_lease_was_released
            a_claimed_occurrence_is_refused_after_the_lease_expired
            an_expired_lease_is_granted_with_a_higher_fence
            a_released_lease_is_granted_with_a_higher_fence
            a_release_leaves_the_cursor
            a_renewal_keeps_the_lease_beyond_its_first_life
            an_expired_lease_is_lost_to_its_owner
            a_stale_holder_can_not_renew
            a_stale_holder_can_not_release
            another_owner_can_neither_renew_nor_release
            an_older_grant_of_the_same_owner_can_neither_renew_nor_release
            a_released_lease_can_neither_be_renewed_nor_released_again
            a_run_that_is_not_the_schedules_leaves_the_cursor
            a_run_that_is_not_the_schedules_meets_a_held_key
            leases_that_exclude_nothing_live_side_by_side
            the_filter_passes_a_held_key_and_the_lease_stays
            of_ten_owners_one_is_granted_an_occurrence
            of_ten_owners_one_is_granted_a_lease
            attached_handles_share_the_keys
        }
    };
}

/// Long enough that no case outlives it.
const LONG: Duration = Duration::from_secs(60);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);
/// Longer than [`SHORT`].
const PAST_SHORT: Duration = Duration::from_millis(350);

const LEASE: LockMode = LockMode::Lease { ttl: LONG, exclusive: true };
const SHORT_LEASE: LockMode = LockMode::Lease { ttl: SHORT, exclusive: true };
const SHARED_LEASE: LockMode = LockMode::Lease { ttl: LONG, exclusive: false };

fn job() -> JobId {
    JobId::parse("conformance").expect("valid")
}

fn secs(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

/// A minute ago, to the second, by the backend's clock: occurrences from here on are due for a while.
async fn origin(harness: &dyn LockHarness) -> DateTime<Utc> {
    let now = harness.now().await;
    DateTime::from_timestamp(now.timestamp() - 60, 0).expect("within chrono's range")
}

fn request(owner: InstanceId, at: DateTime<Utc>, mode: LockMode) -> AcquireRequest {
    let occurrence = LockOccurrence { scheduled_at: at, not_before: at };
    AcquireRequest { job_id: job(), owner, occurrence: Some(occurrence), mode }
}

fn manual(owner: InstanceId, mode: LockMode) -> AcquireRequest {
    AcquireRequest { job_id: job(), owner, occurrence: None, mode }
}

async fn acquire(harness: &dyn LockHarness, request: AcquireRequest) -> Acquired {
    let mut answers = harness.locks().acquire(&[request]).await.expect("the backend answers");
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

async fn lease(harness: &dyn LockHarness, request: AcquireRequest) -> LockLease {
    match acquire(harness, request).await {
        Acquired::Granted(Some(lease)) => lease,
        other => panic!("expected a lease, got {other:?}"),
    }
}

async fn cursor(harness: &dyn LockHarness) -> Option<DateTime<Utc>> {
    harness.locks().cursor(&job()).await.expect("the backend answers")
}

async fn renew(harness: &dyn LockHarness, lease: &LockLease) -> bool {
    harness.locks().renew(lease, LONG).await.expect("the backend answers")
}

async fn release(harness: &dyn LockHarness, lease: &LockLease) -> bool {
    harness.locks().release(lease).await.expect("the backend answers")
}

fn owners() -> (InstanceId, InstanceId) {
    (InstanceId::random(), InstanceId::random())
}

pub async fn the_filter_grants_an_occurrence_to_one_owner(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
    assert_eq!(acquire(harness, request(other, at, LockMode::Filter)).await, Acquired::AlreadyClaimed);
}

pub async fn the_filter_grants_the_same_owner_and_occurrence_again(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    for _ in 0..3 {
        assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
    }
    assert_eq!(acquire(harness, request(other, at, LockMode::Filter)).await, Acquired::AlreadyClaimed);
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
}

pub async fn the_filter_refuses_what_lies_below_the_cursor_even_to_its_owner(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
    assert_eq!(acquire(harness, request(one, at + secs(1), LockMode::Filter)).await, Acquired::Granted(None));
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::AlreadyClaimed);
    assert_eq!(acquire(harness, request(other, at - secs(1), LockMode::Filter)).await, Acquired::AlreadyClaimed);
    assert_eq!(cursor(harness).await, Some(at + secs(1)));
}

pub async fn the_filter_grants_the_next_occurrence_to_anybody(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
    assert_eq!(acquire(harness, request(other, at + secs(1), LockMode::Filter)).await, Acquired::Granted(None));
    assert_eq!(acquire(harness, request(one, at + secs(1), LockMode::Filter)).await, Acquired::AlreadyClaimed);
}

pub async fn an_occurrence_that_is_not_due_leaves_the_cursor(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
    let later = at + secs(120);
    for mode in [LockMode::Filter, LEASE, SHARED_LEASE] {
        match acquire(harness, request(other, later, mode)).await {
            Acquired::NotDue { remaining } => assert!(
                remaining > Duration::from_secs(30) && remaining <= Duration::from_secs(60),
                "{mode:?}: {remaining:?}"
            ),
            other => panic!("{mode:?}: expected `NotDue`, got {other:?}"),
        }
    }
    assert_eq!(cursor(harness).await, Some(at));
    // Nor was a lease taken on the way.
    assert!(matches!(acquire(harness, manual(one, LEASE)).await, Acquired::Granted(Some(_))));
}

pub async fn an_occurrence_is_not_due_before_its_earliest_start(harness: &dyn LockHarness) {
    let (at, (one, _)) = (origin(harness).await, owners());
    let mut jittered = request(one, at, LockMode::Filter);
    jittered.occurrence = Some(LockOccurrence { scheduled_at: at, not_before: harness.now().await + SHORT });
    let Acquired::NotDue { remaining } = acquire(harness, jittered.clone()).await else {
        panic!("granted before its earliest start")
    };
    assert!(remaining <= SHORT && !remaining.is_zero(), "{remaining:?}");
    harness.pass(PAST_SHORT).await;
    assert_eq!(acquire(harness, jittered).await, Acquired::Granted(None));
    assert_eq!(cursor(harness).await, Some(at), "the cursor is the nominal instant");
}

pub async fn the_filter_grants_no_lease(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(acquire(harness, request(one, at, LockMode::Filter)).await, Acquired::Granted(None));
    assert!(matches!(acquire(harness, manual(other, LEASE)).await, Acquired::Granted(Some(_))));
}

pub async fn jobs_have_keys_of_their_own(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let elsewhere = JobId::parse("another-job").expect("valid");
    let held = lease(harness, request(one, at, LEASE)).await;
    let beside = AcquireRequest { job_id: elsewhere.clone(), ..request(other, at, LEASE) };
    let held_beside = lease(harness, beside).await;
    assert_eq!(held_beside.job_id, elsewhere);
    assert!(release(harness, &held_beside).await);
    assert!(renew(harness, &held).await, "the other job's release left this key");
}

pub async fn answers_are_in_the_order_of_the_requests(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let batch = [
        request(one, at + secs(1), LockMode::Filter),
        request(other, at, LockMode::Filter),
        request(other, at + secs(120), LockMode::Filter),
        request(other, at + secs(2), LEASE),
        request(one, at + secs(3), LEASE),
        request(one, at + secs(1), LockMode::Filter),
    ];
    let answers = harness.locks().acquire(&batch).await.expect("the backend answers");
    assert_eq!(answers.len(), batch.len());
    assert_eq!(answers[0], Acquired::Granted(None));
    assert_eq!(answers[1], Acquired::AlreadyClaimed);
    assert!(matches!(answers[2], Acquired::NotDue { .. }), "{:?}", answers[2]);
    assert!(matches!(&answers[3], Acquired::Granted(Some(lease)) if lease.owner == other), "{:?}", answers[3]);
    assert_eq!(answers[4], Acquired::Held);
    assert_eq!(answers[5], Acquired::AlreadyClaimed);
}

pub async fn an_empty_batch_has_no_answers(harness: &dyn LockHarness) {
    assert_eq!(harness.locks().acquire(&[]).await.expect("the backend answers"), Vec::new());
}

pub async fn the_cursor_tells_the_newest_granted_occurrence(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(cursor(harness).await, None);
    acquire(harness, request(one, at, LockMode::Filter)).await;
    acquire(harness, request(other, at + secs(5), LockMode::Filter)).await;
    acquire(harness, request(one, at + secs(3), LockMode::Filter)).await;
    assert_eq!(cursor(harness).await, Some(at + secs(5)));
}

pub async fn a_cursor_lives_seven_days_from_its_last_move(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    assert_eq!(harness.cursor_life(&job()).await, None);
    // A backend need not tell each move apart: up to an hour longer is no harm.
    let kept = CURSOR_LIFE - LONG..=CURSOR_LIFE + 60 * LONG;
    let nearly = |life: Option<Duration>| life.is_some_and(|life| kept.contains(&life));
    for (occurrence, mode) in [(at, LockMode::Filter), (at + secs(1), LEASE)] {
        acquire(harness, request(one, occurrence, mode)).await;
        let life = harness.cursor_life(&job()).await;
        assert!(nearly(life), "{mode:?}: {life:?}");
    }
    // Neither a refusal nor the lease's end shortens it.
    acquire(harness, request(other, at, LockMode::Filter)).await;
    let held = lease(harness, request(one, at + secs(1), LEASE)).await;
    assert!(release(harness, &held).await);
    let life = harness.cursor_life(&job()).await;
    assert!(nearly(life), "{life:?}");
}

pub async fn a_lease_excludes_every_other(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let _held = lease(harness, request(one, at, LEASE)).await;
    assert_eq!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Held);
    assert_eq!(acquire(harness, request(one, at + secs(1), LEASE)).await, Acquired::Held, "even of its owner");
    assert_eq!(acquire(harness, request(other, at, LEASE)).await, Acquired::AlreadyClaimed);
}

pub async fn a_held_key_leaves_the_cursor(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    assert_eq!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Held);
    assert_eq!(cursor(harness).await, Some(at));
    assert!(release(harness, &held).await);
    assert!(matches!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Granted(Some(_))));
}

pub async fn a_lease_moves_the_cursor(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    assert_eq!((&held.job_id, held.owner, held.exclusive), (&job(), one, true));
    assert_eq!(cursor(harness).await, Some(at));
    assert_eq!(acquire(harness, request(other, at, LockMode::Filter)).await, Acquired::AlreadyClaimed);
}

pub async fn the_same_owner_and_occurrence_is_granted_with_the_same_fence_while_the_lease_lives(
    harness: &dyn LockHarness,
) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let first = lease(harness, request(one, at, LEASE)).await;
    let again = lease(harness, request(one, at, LEASE)).await;
    assert_eq!(again, first);
    assert_eq!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Held);
    assert!(release(harness, &again).await);
}

/// Whoever asks again counts the lease from that request (R5).
pub async fn a_repeated_grant_lives_as_long_as_a_new_one(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let first = lease(harness, request(one, at, SHORT_LEASE)).await;
    assert_eq!(lease(harness, request(one, at, LEASE)).await, first);
    harness.pass(PAST_SHORT).await;
    assert_eq!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Held);
    assert!(release(harness, &first).await);
}

pub async fn a_claimed_occurrence_is_refused_after_the_lease_was_released(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    assert!(release(harness, &held).await);
    assert_eq!(acquire(harness, request(other, at, LEASE)).await, Acquired::AlreadyClaimed);
    assert_eq!(acquire(harness, request(one, at, LEASE)).await, Acquired::AlreadyClaimed, "even to its owner");
}

pub async fn a_claimed_occurrence_is_refused_after_the_lease_expired(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let _held = lease(harness, request(one, at, SHORT_LEASE)).await;
    harness.pass(PAST_SHORT).await;
    assert_eq!(acquire(harness, request(other, at, LEASE)).await, Acquired::AlreadyClaimed);
    assert_eq!(acquire(harness, request(one, at, LEASE)).await, Acquired::AlreadyClaimed, "even to its owner");
}

pub async fn an_expired_lease_is_granted_with_a_higher_fence(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let first = lease(harness, request(one, at, SHORT_LEASE)).await;
    harness.pass(PAST_SHORT).await;
    let second = lease(harness, request(other, at + secs(1), LEASE)).await;
    assert!(second.fence > first.fence, "{second:?} after {first:?}");
}

pub async fn a_released_lease_is_granted_with_a_higher_fence(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let mut last = lease(harness, request(one, at, LEASE)).await;
    for (number, owner) in [(1, other), (2, one), (3, one)] {
        assert!(release(harness, &last).await);
        let next = lease(harness, request(owner, at + secs(number), LEASE)).await;
        assert!(next.fence > last.fence, "{next:?} after {last:?}");
        last = next;
    }
}

pub async fn a_release_leaves_the_cursor(harness: &dyn LockHarness) {
    let (at, (one, _)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    assert!(release(harness, &held).await);
    assert_eq!(cursor(harness).await, Some(at));
}

pub async fn a_renewal_keeps_the_lease_beyond_its_first_life(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, SHORT_LEASE)).await;
    assert!(renew(harness, &held).await);
    harness.pass(PAST_SHORT).await;
    assert_eq!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Held);
    assert!(renew(harness, &held).await);
}

pub async fn an_expired_lease_is_lost_to_its_owner(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, SHORT_LEASE)).await;
    harness.pass(PAST_SHORT).await;
    assert!(!renew(harness, &held).await);
    assert!(!release(harness, &held).await);
    assert!(matches!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Granted(Some(_))));
}

pub async fn a_stale_holder_can_not_renew(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let stale = lease(harness, request(one, at, SHORT_LEASE)).await;
    harness.pass(PAST_SHORT).await;
    let held = lease(harness, request(other, at + secs(1), SHORT_LEASE)).await;
    assert!(!renew(harness, &stale).await);
    // Nor did the try extend the other's lease.
    harness.pass(PAST_SHORT).await;
    assert!(!renew(harness, &held).await);
}

pub async fn a_stale_holder_can_not_release(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let stale = lease(harness, request(one, at, SHORT_LEASE)).await;
    harness.pass(PAST_SHORT).await;
    let held = lease(harness, request(other, at + secs(1), LEASE)).await;
    assert!(!release(harness, &stale).await);
    assert_eq!(acquire(harness, request(one, at + secs(2), LEASE)).await, Acquired::Held);
    assert!(renew(harness, &held).await);
}

pub async fn another_owner_can_neither_renew_nor_release(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    let stolen = LockLease { owner: other, ..held.clone() };
    assert!(!renew(harness, &stolen).await);
    assert!(!release(harness, &stolen).await);
    assert!(renew(harness, &held).await);
}

pub async fn an_older_grant_of_the_same_owner_can_neither_renew_nor_release(harness: &dyn LockHarness) {
    let (at, (one, _)) = (origin(harness).await, owners());
    let older = lease(harness, request(one, at, SHORT_LEASE)).await;
    harness.pass(PAST_SHORT).await;
    let newer = lease(harness, request(one, at + secs(1), LEASE)).await;
    assert!(!renew(harness, &older).await);
    assert!(!release(harness, &older).await);
    assert!(renew(harness, &newer).await);
}

pub async fn a_released_lease_can_neither_be_renewed_nor_released_again(harness: &dyn LockHarness) {
    let (at, (one, _)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    assert!(release(harness, &held).await);
    assert!(!renew(harness, &held).await);
    assert!(!release(harness, &held).await);
    assert!(matches!(acquire(harness, manual(one, LEASE)).await, Acquired::Granted(Some(_))));
}

pub async fn a_run_that_is_not_the_schedules_leaves_the_cursor(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let first = lease(harness, manual(one, LEASE)).await;
    assert_eq!(cursor(harness).await, None);
    assert!(release(harness, &first).await);
    let scheduled = lease(harness, request(other, at, LEASE)).await;
    assert!(release(harness, &scheduled).await);
    let second = lease(harness, manual(one, LEASE)).await;
    assert!(second.fence > scheduled.fence && scheduled.fence > first.fence);
    assert_eq!(cursor(harness).await, Some(at));
}

pub async fn a_run_that_is_not_the_schedules_meets_a_held_key(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, manual(one, LEASE)).await;
    assert_eq!(acquire(harness, manual(other, LEASE)).await, Acquired::Held);
    assert_eq!(acquire(harness, request(other, at, LEASE)).await, Acquired::Held);
    assert_eq!(cursor(harness).await, None);
    assert!(renew(harness, &held).await);
}

pub async fn leases_that_exclude_nothing_live_side_by_side(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let first = lease(harness, request(one, at, SHARED_LEASE)).await;
    let second = lease(harness, request(other, at + secs(1), SHARED_LEASE)).await;
    let third = lease(harness, manual(one, SHARED_LEASE)).await;
    assert!(!first.exclusive && !second.exclusive && !third.exclusive);
    assert!(first.fence < second.fence && second.fence < third.fence);
    assert_eq!(acquire(harness, request(other, at, SHARED_LEASE)).await, Acquired::AlreadyClaimed);
    let again = lease(harness, request(other, at + secs(1), SHARED_LEASE)).await;
    assert!(!again.exclusive, "a repetition is granted");
    assert!(matches!(acquire(harness, manual(one, LEASE)).await, Acquired::Granted(Some(_))), "nothing was held");
}

pub async fn the_filter_passes_a_held_key_and_the_lease_stays(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let held = lease(harness, request(one, at, LEASE)).await;
    assert_eq!(acquire(harness, request(other, at + secs(1), LockMode::Filter)).await, Acquired::Granted(None));
    assert_eq!(cursor(harness).await, Some(at + secs(1)));
    assert_eq!(acquire(harness, request(other, at + secs(2), LEASE)).await, Acquired::Held);
    assert!(renew(harness, &held).await);
}

/// Lets ten owners ask at once; the answers.
async fn ten_at_once(harness: &dyn LockHarness, at: DateTime<Utc>, mode: LockMode) -> Vec<Acquired> {
    let asked = (0..10).map(|_| {
        let locks = harness.locks().attach();
        tokio::spawn(async move { locks.acquire(&[request(InstanceId::random(), at, mode)]).await })
    });
    let mut answers = Vec::new();
    for task in asked.collect::<Vec<_>>() {
        answers.extend(task.await.expect("no panic").expect("the backend answers"));
    }
    answers
}

pub async fn of_ten_owners_one_is_granted_an_occurrence(harness: &dyn LockHarness) {
    let at = origin(harness).await;
    for number in 0..5 {
        let answers = ten_at_once(harness, at + secs(number), LockMode::Filter).await;
        assert_eq!(answers.iter().filter(|answer| **answer == Acquired::Granted(None)).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| **answer == Acquired::AlreadyClaimed).count(), 9, "{answers:?}");
    }
}

pub async fn of_ten_owners_one_is_granted_a_lease(harness: &dyn LockHarness) {
    let at = origin(harness).await;
    let mut fences = HashSet::new();
    for number in 0..5 {
        let answers = ten_at_once(harness, at + secs(number), LEASE).await;
        let granted: Vec<_> = answers
            .iter()
            .filter_map(|answer| match answer {
                Acquired::Granted(Some(lease)) => Some(lease),
                _ => None,
            })
            .collect();
        assert_eq!(granted.len(), 1, "{answers:?}");
        assert!(fences.insert(granted[0].fence), "a fence was granted twice");
        assert!(release(harness, granted[0]).await);
    }
}

pub async fn attached_handles_share_the_keys(harness: &dyn LockHarness) {
    let (at, (one, other)) = (origin(harness).await, owners());
    let attached = harness.locks().attach();
    attached.check().await.expect("the backend answers");
    let answers = attached.acquire(&[request(one, at, LEASE)]).await.expect("the backend answers");
    let [Acquired::Granted(Some(held))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(acquire(harness, request(other, at + secs(1), LEASE)).await, Acquired::Held);
    assert!(release(harness, held).await);
}
