//! Claims of occurrences that are due, gathered while others are on their way (R1, R8, R10).

use std::{
    collections::VecDeque,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::Notify;
use tracing::{debug, error, info};

use super::{
    Backoff, Engine, JobIndex, agenda::Due, health::chain, limited, running::HeldLock, starting::UnderWay,
    undecided::Claiming,
};
use crate::{
    metrics,
    store::{Claim, ClaimOutcome, EARLY_TOLERANCE, Grant, LostClaim, Refusal, StoreError},
};

/// How long a claim may take before its answer counts as lost.
const CLAIM_LIMIT: Duration = Duration::from_secs(5);

/// How many occurrences are claimed in one trip: the first of many start while the others are claimed.
const BATCH: usize = 250;

/// How many trips are under way at once; one that hangs does not hold up the others.
const TRIPS: usize = 2;

/// A claim on its way.
#[derive(Debug)]
pub(super) struct Candidate {
    job: JobIndex,
    claim: Claim,
    lock: Option<HeldLock>,
    /// The uptime of the request from which a granted lease counts (R5); kept while a reply is unknown.
    asked_at: Option<Duration>,
    /// Whether a reply was lost.
    unknown: bool,
    backoff: Backoff,
    /// Says to the look at what went by that this instance is at it.
    _claiming: Claiming,
}

/// Claims that wait for a trip.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    waiting: Mutex<Waiting>,
    /// Told when no trip is under way any more.
    done: Notify,
    /// How long the last trip that was answered took, in microseconds.
    took: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    candidates: VecDeque<Candidate>,
    /// How many trips are under way, or about to be.
    trips: usize,
}

impl Claims {
    fn push(&self, candidates: impl IntoIterator<Item = Candidate>) {
        self.waiting().candidates.extend(candidates);
    }

    /// Those of the next trip; the trips end where there are none.
    fn take(&self) -> Option<Vec<Candidate>> {
        let mut waiting = self.waiting();
        let count = waiting.candidates.len().min(BATCH);
        if count == 0 {
            waiting.trips -= 1;
            if waiting.trips == 0 {
                self.done.notify_waiters();
            }
            return None;
        }
        Some(waiting.candidates.drain(..count).collect())
    }

    /// How long the last trip that was answered took.
    pub(super) fn last_trip(&self) -> Duration {
        Duration::from_micros(self.took.load(Ordering::Relaxed))
    }

    /// Waits until no claim is under way.
    pub(super) async fn done(&self) {
        loop {
            let done = self.done.notified();
            tokio::pin!(done);
            // Registered before the trips are counted, so that none ends unseen.
            done.as_mut().enable();
            if self.waiting().trips == 0 {
                return;
            }
            done.await;
        }
    }

    /// Whether a trip more sets out for those that wait.
    fn sets_out(&self) -> bool {
        let mut waiting = self.waiting();
        let sets_out = waiting.trips < TRIPS && !waiting.candidates.is_empty();
        waiting.trips += usize::from(sets_out);
        sets_out
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// An occurrence on its way to its claim, with its lease where the lock backend is the claim.
    pub(super) fn candidate(&self, due: &Due, lock: Option<HeldLock>) -> Candidate {
        Candidate {
            job: due.job,
            claim: self.new_claim(due),
            lock,
            asked_at: None,
            unknown: false,
            backoff: Backoff::new(),
            _claiming: self.undecided.claim(due.job, due.scheduled_at),
        }
    }

    /// Claims what went by and has no row, past the filter (R12).
    pub(crate) fn claim_owed(self: &Arc<Self>, owed: &[Due], under_way: &UnderWay) {
        self.claim(owed.iter().map(|due| self.candidate(due, None)), under_way);
    }

    /// Brings claims to the store, in the next trip.
    pub(super) fn claim(self: &Arc<Self>, candidates: impl IntoIterator<Item = Candidate>, under_way: &UnderWay) {
        self.claims.push(candidates);
        while self.claims.sets_out() {
            self.tasks.spawn(make_trips(Arc::clone(self), under_way.clone()));
        }
    }

    /// Brings claims to the store again after a while.
    fn claim_later(self: &Arc<Self>, candidates: Vec<Candidate>, wait: Duration, under_way: UnderWay) {
        if candidates.is_empty() {
            return;
        }
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            engine.rest(wait).await;
            engine.claim(candidates, &under_way);
        });
    }
}

/// One trip after another, as long as claims wait. One that panics ends none of the others: the claims that come after it go
/// out, and what it was granted is found by recovery.
async fn make_trips(engine: Arc<Engine>, under_way: UnderWay) {
    while let Some(candidates) = engine.claims.take() {
        let occurrences = candidates.len();
        let trip = make_trip(&engine, candidates, &under_way);
        if AssertUnwindSafe(trip).catch_unwind().await.is_err() {
            error!(
                occurrences,
                "a trip for claims panicked: occurrences that have no row are decided at the next look"
            );
            engine.health.panicked("claims");
        }
    }
}

/// One trip: what is granted starts, what may still be granted is asked for again.
fn make_trip<'a>(engine: &'a Arc<Engine>, candidates: Vec<Candidate>, under_way: &'a UnderWay) -> BoxFuture<'a, ()> {
    async move {
        let now = engine.now();
        let is_draining = engine.is_draining();
        let (mut candidates, late): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| now < candidate.claim.deadline && !is_draining);
        give_up(engine, late).await;
        if candidates.is_empty() {
            return;
        }
        let asked_at = engine.clock.uptime();
        let claims: Vec<Claim> = candidates.iter().map(|candidate| candidate.claim.clone()).collect();
        match limited(&*engine.clock, CLAIM_LIMIT, "claim occurrences", engine.store.claim(&claims)).await {
            Ok(outcomes) => {
                engine.health.store_answered();
                let took = (engine.clock.uptime() - asked_at).as_micros();
                engine.claims.took.store(took.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
                let mut not_due = Vec::new();
                let mut wait = Duration::ZERO;
                let mut early = Vec::new();
                for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
                    match settle(engine, candidate, outcome, asked_at).await {
                        Settled::Over => {}
                        Settled::Early(claimed) => early.push(claimed),
                        Settled::NotDue(candidate, remaining) => {
                            wait = wait.max(remaining);
                            not_due.push(candidate);
                        }
                    }
                }
                start_at_their_instants(engine, early, under_way.clone());
                engine.claim_later(not_due, wait, under_way.clone());
            }
            Err(error) => {
                tell(engine, &error, candidates.len());
                let mut wait = Duration::ZERO;
                for candidate in &mut candidates {
                    candidate.unknown |= error.is_unknown();
                    if error.is_unknown() {
                        candidate.asked_at.get_or_insert(asked_at);
                    }
                    wait = wait.max(candidate.backoff.next_delay());
                }
                engine.claim_later(candidates, wait, under_way.clone());
            }
        }
    }
    .boxed()
}

fn tell(engine: &Engine, error: &StoreError, occurrences: usize) {
    if error.is_retryable() {
        engine.health.store_failed(error);
    } else {
        error!(
            error = chain(error),
            occurrences, "a claim was refused by the store: tried again until the start deadline"
        );
    }
}

/// What was granted before its instant.
struct Claimed {
    job: JobIndex,
    claim: Claim,
    grant: Grant,
    asked_at: Duration,
    lock: Option<HeldLock>,
}

/// What is left to do for a claim that was answered.
enum Settled {
    /// Nothing.
    Over,
    /// It starts once its instant has come.
    Early(Claimed),
    /// It is claimed again after this wait.
    NotDue(Candidate, Duration),
}

/// Starts what was granted early, each at its instant. Few instants are apart: one task waits for them all.
fn start_at_their_instants(engine: &Arc<Engine>, mut early: Vec<Claimed>, under_way: UnderWay) {
    if early.is_empty() {
        return;
    }
    early.sort_by_key(|claimed| claimed.claim.not_before);
    let engine = Arc::clone(engine);
    engine.clone().tasks.spawn(async move {
        for Claimed { job, claim, grant, asked_at, lock } in early {
            // No longer than the store lets a claim come early: a clock that steps back meanwhile holds up no run.
            if let Ok(wait) = (claim.not_before - engine.now()).to_std() {
                engine.clock.sleep(wait.min(EARLY_TOLERANCE)).await;
            }
            engine.start_claimed(job, &claim, grant, asked_at, lock);
        }
        drop(under_way);
    });
}

/// Acts on a claim's fate.
async fn settle(engine: &Arc<Engine>, candidate: Candidate, outcome: ClaimOutcome, asked_at: Duration) -> Settled {
    metrics::claim_ended(&candidate.claim.job_id, &outcome);
    if outcome.has_row() && !candidate.claim.every_instance {
        engine.undecided.settle(candidate.job, candidate.claim.scheduled_at);
    }
    let refusal = match outcome {
        ClaimOutcome::Refused(Refusal::NotDue { remaining }) => return Settled::NotDue(candidate, remaining),
        ClaimOutcome::Refused(refusal) => Some(refusal),
        ClaimOutcome::Granted(grant) => {
            let asked_at = candidate.asked_at.unwrap_or(asked_at);
            let lock = match candidate.lock {
                Some(lock) => Some(Some(lock)),
                None => engine.acquire_late(candidate.job).await,
            };
            match lock {
                Some(lock) if candidate.claim.not_before > engine.now() => {
                    let Candidate { job, claim, .. } = candidate;
                    return Settled::Early(Claimed { job, claim, grant, asked_at, lock });
                }
                Some(lock) => engine.start_claimed(candidate.job, &candidate.claim, grant, asked_at, lock),
                // Its body never starts, as that of a claim whose answer was lost: the next attempt waits for the key.
                None => engine.give_up([(LostClaim::of(&candidate.claim), candidate.job)]),
            }
            return Settled::Over;
        }
        ClaimOutcome::Skipped { execution_id, reason } => {
            let Claim { job_id, occurrence, .. } = &candidate.claim;
            info!(%job_id, %occurrence, %execution_id, %reason, "an occurrence is skipped: another execution of its job runs, or waits for its next attempt");
            None
        }
        ClaimOutcome::Queued { execution_id } => {
            let Claim { job_id, occurrence, .. } = &candidate.claim;
            info!(%job_id, %occurrence, %execution_id, "an occurrence waits for the execution of its job that runs");
            None
        }
    };
    let Candidate { job, claim, lock, .. } = candidate;
    debug!(job_id = %claim.job_id, occurrence = %claim.occurrence, ?refusal, "an occurrence does not run here now");
    match refusal {
        None => engine.pass(job, claim.scheduled_at, lock.map(|lock| lock.lease)).await,
        Some(refusal) => {
            if matches!(refusal, Refusal::Superseded) {
                engine.jobs.get(job).supersede();
            }
            engine.release(lock.map(|lock| lock.lease)).await;
        }
    }
    Settled::Over
}

/// Lets candidates go whose deadline has passed: `decide` sees to them (R12), or R8 where a claim may have committed.
async fn give_up(engine: &Arc<Engine>, late: Vec<Candidate>) {
    for candidate in late {
        if candidate.unknown {
            engine.give_up([(LostClaim::of(&candidate.claim), candidate.job)]);
        }
        engine.release(candidate.lock.map(|lock| lock.lease)).await;
    }
}
