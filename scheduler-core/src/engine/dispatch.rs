//! From due to its claim: the filter (R15), then the claims that wait for their trip.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Assignment, Engine, JobIndex, agenda::Due, locks::Admission, running::HeldLock};
use crate::{
    identity::ClaimId,
    job::OverlapPolicy,
    occurrence::Origin,
    store::{Claim, Grant},
};

/// How many occurrences the filter is asked for in one trip: what it lets through is claimed while it is asked for the next.
const BATCH: usize = 250;

/// Brings occurrences that are due to their claims, and starts what is granted.
pub(crate) async fn dispatch(engine: Arc<Engine>, due: Vec<Due>) {
    let Some(under_way) = engine.begin() else { return };
    let due = without_held(&engine, due);
    for batch in due.chunks(BATCH) {
        let batch = engine.wait_for_room(batch.to_vec()).await;
        let Admission { admitted, early, wait } = engine.admit(&batch).await;
        engine.claim(admitted.into_iter().map(|one| engine.candidate(&one.due, one.lock)), &under_way);
        if !early.is_empty() {
            engine.tasks.spawn(dispatch_later(Arc::clone(&engine), early, wait));
        }
    }
}

/// Leaves out what is not due yet and whose job's key is held here: it is dispatched at its instant, by which the run may be over.
fn without_held(engine: &Arc<Engine>, due: Vec<Due>) -> Vec<Due> {
    let now = engine.now();
    if due.iter().all(|due| due.not_before <= now) {
        return due;
    }
    let held = engine.running.jobs();
    let is_early = |due: &Due| {
        let settings = engine.jobs.get(due.job).settings();
        due.not_before > now && settings.overlap != OverlapPolicy::Allow && held.contains(&due.job)
    };
    let (early, due): (Vec<_>, Vec<_>) = due.into_iter().partition(is_early);
    if let Some(wait) = early.iter().filter_map(|due| (due.not_before - now).to_std().ok()).max() {
        engine.tasks.spawn(dispatch_later(Arc::clone(engine), early, wait));
    }
    due
}

/// Dispatches what the lock backend's clock does not call due yet.
fn dispatch_later(engine: Arc<Engine>, early: Vec<Due>, wait: Duration) -> BoxFuture<'static, ()> {
    async move {
        engine.rest(wait).await;
        dispatch(engine, early).await;
    }
    .boxed()
}

impl Engine {
    /// The claim of a schedule's occurrence.
    pub(super) fn new_claim(&self, due: &Due) -> Claim {
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
