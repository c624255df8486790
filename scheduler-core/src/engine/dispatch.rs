//! From due to running: the filter, then the claim (R1, R8, R10, R15).

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use tracing::{debug, error};

use super::{
    Assignment, Backoff, Engine, JobIndex,
    agenda::Due,
    health::chain,
    limited,
    locks::{Admission, Admitted},
    running::HeldLock,
    starting::UnderWay,
};
use crate::{
    identity::ClaimId,
    metrics,
    occurrence::Origin,
    store::{Claim, ClaimOutcome, Grant, Refusal},
};

/// How long a claim may take before its answer counts as lost.
const CLAIM_LIMIT: Duration = Duration::from_secs(5);

/// How many occurrences are claimed in one trip.
const BATCH: usize = 1_000;

/// A claim on its way.
#[derive(Debug)]
struct Candidate {
    job: JobIndex,
    claim: Claim,
    lock: Option<HeldLock>,
    /// The uptime of the request from which a granted lease counts (R5); kept while a reply is unknown.
    asked_at: Option<Duration>,
    /// Whether a reply was lost.
    unknown: bool,
}

/// Brings occurrences that are due to their claims, and starts what is granted.
pub(crate) async fn dispatch(engine: Arc<Engine>, due: Vec<Due>) {
    let Some(under_way) = engine.begin() else { return };
    for batch in due.chunks(BATCH) {
        let batch = engine.wait_for_room(batch.to_vec()).await;
        let Admission { admitted, early, wait } = engine.admit(&batch).await;
        let candidates: Vec<_> = admitted.into_iter().map(|admitted| engine.candidate(admitted)).collect();
        engine.tasks.spawn(claim(Arc::clone(&engine), candidates, under_way.clone()));
        if !early.is_empty() {
            engine.tasks.spawn(dispatch_later(Arc::clone(&engine), early, wait));
        }
    }
}

/// Dispatches what the lock backend's clock does not call due yet.
fn dispatch_later(engine: Arc<Engine>, early: Vec<Due>, wait: Duration) -> BoxFuture<'static, ()> {
    async move {
        engine.clock.sleep(wait).await;
        dispatch(engine, early).await;
    }
    .boxed()
}

impl Engine {
    fn candidate(&self, admitted: Admitted) -> Candidate {
        let job = admitted.due.job;
        Candidate { job, claim: self.new_claim(&admitted.due), lock: admitted.lock, asked_at: None, unknown: false }
    }

    /// The claim of a schedule's occurrence.
    fn new_claim(&self, due: &Due) -> Claim {
        let Due { job, scheduled_at, not_before } = *due;
        let entry = self.jobs.get(job);
        let settings = entry.settings();
        Claim {
            claim_id: ClaimId::random(),
            job_id: settings.id.clone(),
            revision: entry.revision(),
            occurrence: settings.occurrence_key(scheduled_at, self.instance),
            scheduled_at,
            not_before,
            deadline: self.deadline(due),
            max_attempts: settings.max_attempts(),
            overlap: settings.overlap,
            rerun_on_crash: settings.reruns_on_crash(),
            lease: settings.lease_ttl,
            instance: self.instance,
            every_instance: settings.every_instance,
        }
    }

    /// Starts what a claim of a first attempt was granted.
    pub(crate) fn start_claimed(
        self: &Arc<Self>,
        job: JobIndex,
        claim: &Claim,
        grant: Grant,
        asked_at: Duration,
        lock: Option<HeldLock>,
    ) {
        self.start(Assignment {
            job,
            execution_id: grant.execution_id,
            fence: grant.fence,
            claim_id: claim.claim_id,
            occurrence: claim.occurrence.clone(),
            origin: Origin::Schedule,
            attempt: 1,
            max_attempts: claim.max_attempts,
            scheduled_at: claim.scheduled_at,
            params: None,
            upstream_results: None,
            triggered_by: None,
            trace_context: None,
            asked_at,
            lock,
        });
    }
}

/// Claims until every candidate's fate is known or its deadline has passed.
async fn claim(engine: Arc<Engine>, mut candidates: Vec<Candidate>, _under_way: UnderWay) {
    let mut backoff = Backoff::new();
    loop {
        let now = engine.now();
        let (rest, late): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| now < candidate.claim.deadline && !engine.is_draining());
        give_up(&engine, late).await;
        if rest.is_empty() {
            return;
        }
        candidates = rest;
        let asked_at = engine.clock.uptime();
        let claims: Vec<Claim> = candidates.iter().map(|candidate| candidate.claim.clone()).collect();
        let answer = limited(&*engine.clock, CLAIM_LIMIT, "claim occurrences", engine.store.claim(&claims)).await;
        let wait = match answer {
            Ok(outcomes) => {
                engine.health.store_answered();
                let mut not_due = Vec::new();
                let mut wait = Duration::ZERO;
                for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
                    if let Some((candidate, remaining)) = settle(&engine, candidate, outcome, asked_at).await {
                        wait = wait.max(remaining);
                        not_due.push(candidate);
                    }
                }
                candidates = not_due;
                wait
            }
            Err(error) => {
                if error.is_retryable() {
                    engine.health.store_failed(&error);
                } else {
                    error!(
                        error = chain(&error),
                        occurrences = candidates.len(),
                        "a claim was refused by the store: tried again until the start deadline"
                    );
                }
                for candidate in &mut candidates {
                    candidate.unknown |= error.is_unknown();
                    if error.is_unknown() {
                        candidate.asked_at.get_or_insert(asked_at);
                    }
                }
                backoff.next_delay()
            }
        };
        if candidates.is_empty() {
            return;
        }
        engine.clock.sleep(wait).await;
    }
}

/// Acts on a claim's fate; gives it back with a wait where it is to be repeated.
async fn settle(
    engine: &Arc<Engine>,
    candidate: Candidate,
    outcome: ClaimOutcome,
    asked_at: Duration,
) -> Option<(Candidate, Duration)> {
    metrics::claim_ended(&candidate.claim.job_id, &outcome);
    let refusal = match outcome {
        ClaimOutcome::Refused(Refusal::NotDue { remaining }) => return Some((candidate, remaining)),
        ClaimOutcome::Refused(refusal) => Some(refusal),
        ClaimOutcome::Granted(grant) => {
            let asked_at = candidate.asked_at.unwrap_or(asked_at);
            let lock = match candidate.lock {
                Some(lock) => Some(Some(lock)),
                None => engine.acquire_late(candidate.job).await,
            };
            match lock {
                Some(lock) => engine.start_claimed(candidate.job, &candidate.claim, grant, asked_at, lock),
                // Its body never starts, as that of a claim whose answer was lost: the next attempt waits for the key.
                None => engine.give_up([(candidate.claim.claim_id, candidate.job)]),
            }
            return None;
        }
        ClaimOutcome::Skipped { .. } | ClaimOutcome::Queued { .. } => None,
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
    None
}

/// Lets candidates go whose deadline has passed: `decide` sees to them (R12), or R8 where a claim may have committed.
async fn give_up(engine: &Arc<Engine>, late: Vec<Candidate>) {
    for candidate in late {
        if candidate.unknown {
            engine.give_up([(candidate.claim.claim_id, candidate.job)]);
        }
        engine.release(candidate.lock.map(|lock| lock.lease)).await;
    }
}
