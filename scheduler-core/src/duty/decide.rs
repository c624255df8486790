//! Sees that every occurrence that went by has its row (R12).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};
use tracing::{info, warn};

use super::{
    LOOK,
    plan::{OwedPlanner, PASS},
};
use crate::{
    engine::{Engine, JobIndex, limited},
    event::Event,
    metrics,
    store::{ClaimOutcome, DecideRequest, Decided, StoreError},
};

/// How many jobs are decided at a time.
const AT_ONCE: usize = 8;

/// How long one job's transaction may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Looks at each job with an occurrence that went by two seconds ago or earlier and is not known to be decided.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let Some(_under_way) = engine.begin().filter(|_| engine.has_room()) else { return };
    let jobs = engine.undecided.take(engine.now() - look());
    stream::iter(jobs).for_each_concurrent(AT_ONCE, |job| decide(engine, job)).await;
}

/// Decides what one job owes, pass after pass.
async fn decide(engine: &Arc<Engine>, job: JobIndex) {
    let entry = engine.jobs.get(job);
    let trigger = &entry.settings().trigger;
    while entry.is_current() && !engine.is_draining() {
        let before = entry.watermark();
        let Some((decided, until)) = pass(engine, job).await else {
            if let Some(owed) = trigger.next_after(before) {
                engine.undecided.note(engine.due(job, owed));
            }
            return;
        };
        let Some(next) = trigger.next_after(decided.watermark).map(|next| engine.due(job, next)) else { return };
        let is_owed = next.not_before <= until;
        if is_owed && decided.watermark > before {
            continue;
        }
        // A later one is noted by the agenda when it goes by.
        if next.not_before <= engine.now() {
            engine.undecided.note(next);
        }
        return;
    }
}

/// One pass, and up to where it could decide; `None` when another instance is at it, or a backend is away.
async fn pass(engine: &Arc<Engine>, job: JobIndex) -> Option<(Decided, DateTime<Utc>)> {
    let entry = engine.jobs.get(job);
    let due_until = entry.settings().due_until(engine.now() - look(), engine.instance);
    let elsewhere = match engine.decided_elsewhere(job, due_until, |at| engine.due(job, at)).await {
        Ok(elsewhere) => elsewhere,
        Err(error) => {
            engine.health.locks_failed(&error, false);
            return None;
        }
    };
    let asked_until = elsewhere.until;
    let planner = OwedPlanner {
        settings: Arc::clone(entry.job.settings()),
        instance: engine.instance,
        elsewhere,
        claims: engine.claiming_locks().is_none(),
        claimed: Mutex::default(),
    };
    let request = DecideRequest {
        job_id: entry.settings().id.clone(),
        revision: entry.revision(),
        instance: engine.instance,
        lag: LOOK,
        limit: PASS,
    };
    let asked_at = engine.clock.uptime();
    let answer = limited(&*engine.clock, LIMIT, "decide occurrences", engine.store.decide(&request, &planner)).await;
    if answer.as_ref().is_err_and(StoreError::is_unknown) {
        // What the pass claimed may be written, and nobody will run it.
        engine.give_up(planner.into_claimed().into_iter().map(|claim_id| (claim_id, job)));
    }
    let decided = answer.inspect_err(|error| engine.health.store_failed(error)).ok()??;
    engine.health.store_answered();
    entry.move_watermark(decided.watermark);
    act(engine, job, &decided, asked_at);
    let until = decided.now - look();
    Some((decided, asked_until.map_or(until, |asked| asked.min(until))))
}

fn look() -> TimeDelta {
    TimeDelta::from_std(LOOK).expect("two seconds")
}

/// Starts what the pass claimed, once it has committed, and says what was missed.
fn act(engine: &Arc<Engine>, job: JobIndex, decided: &Decided, asked_at: Duration) {
    let job_id = &engine.jobs.get(job).settings().id;
    for (claim, outcome) in &decided.claims {
        if let ClaimOutcome::Granted(grant) = outcome {
            engine.start_claimed(job, claim, *grant, asked_at, None);
        }
    }
    metrics::decided(job_id, decided);
    if decided.ended_pause {
        info!(%job_id, skipped = decided.skipped, "a pause is over: the schedule goes on");
    }
    if decided.missed > 0 {
        let event = Event::Missed { job_id: job_id.clone(), count: decided.missed, up_to: decided.watermark };
        engine.events.tell(event);
        warn!(%job_id, missed = decided.missed, up_to = %show(decided.watermark), "occurrences were not started in time: they are recorded as missed");
    }
    if decided.caught_up > 0 {
        info!(%job_id, caught_up = decided.caught_up, "occurrences that were not started in time run now");
        engine.look.notify_one();
    }
}

fn show(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
