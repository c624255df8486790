//! Sees that every occurrence that went by has its row (R12).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};
use tracing::{info, warn};

use super::{
    LOOK,
    plan::{OwedPlanner, PASS, has_rows},
};
use crate::{
    engine::{Engine, JobIndex, Passed, limited},
    event::Event,
    identity::JobId,
    metrics,
    store::{
        ClaimOutcome, DecideRequest, Decided, StoreError, Survey, SurveyRequest, Surveyed, SurveyedJob, WatermarkMove,
    },
};

/// How many jobs are looked at in one statement: a server may compile one that it takes for dearer, which takes longer than
/// to run it.
const BATCH: usize = 2_000;

/// How many rows of a job are read in such a look: of more, a pass of its own sees the rest.
const ROWS: usize = 100;

/// How many jobs are decided at a time.
const AT_ONCE: usize = 8;

/// How long one job's transaction may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Looks at each job with an occurrence that went by two seconds ago or earlier.
///
/// Most need nothing: their occurrences have rows, as the claims of this instance were answered, or as the store says of all
/// of them in one statement; and one more moves their watermarks. Only a job that owes something gets a pass of its own.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let Some(_under_way) = engine.begin().filter(|_| engine.has_room()) else { return };
    let mut looks = Vec::new();
    for (job, passed) in engine.undecided.until(engine.now() - look()) {
        if engine.jobs.get(job).is_current() {
            looks.push(Look::at(engine, job, passed));
        } else {
            engine.undecided.forget(job);
        }
    }
    for batch in looks.chunks(BATCH) {
        let Some(owing) = survey(engine, batch).await else { return };
        stream::iter(owing).for_each_concurrent(AT_ONCE, |job| decide(engine, job)).await;
    }
}

/// A job that is looked at.
#[derive(Debug)]
struct Look {
    job: JobIndex,
    passed: Passed,
    /// Whether it is known of each occurrence since the last known watermark that it has its row.
    is_settled: bool,
}

impl Look {
    fn at(engine: &Engine, job: JobIndex, passed: Passed) -> Self {
        let entry = engine.jobs.get(job);
        let settings = entry.settings();
        let until = settings.due_until(engine.now() - look(), engine.instance);
        let mut occurrences = settings.trigger.occurrences_between(entry.watermark(), until);
        let is_settled = occurrences.all(|at| passed.settled.contains(&at));
        Self { job, passed, is_settled }
    }
}

/// Looks at jobs in one statement, moves the watermarks of those that owe nothing, and answers the others; `None` when the
/// store does not answer.
async fn survey(engine: &Arc<Engine>, looks: &[Look]) -> Option<Vec<JobIndex>> {
    let ids = |look: &Look| engine.jobs.get(look.job).settings().id.clone();
    let jobs = looks.iter().map(|look| SurveyedJob { job_id: ids(look), with_rows: !look.is_settled }).collect();
    let request = SurveyRequest { jobs, lag: LOOK, limit: ROWS };
    let call = engine.store.survey(&request);
    let answer = limited(&*engine.clock, LIMIT, "look at what went by", call).await;
    let failed = |error: &StoreError| {
        engine.health.store_failed(error);
        // It may come back as it was before.
        engine.undecided.doubt();
    };
    let Survey { now, jobs: surveyed } = answer.inspect_err(failed).ok()?;
    engine.health.store_answered();
    let has_gone_back = surveyed.iter().any(|seen| {
        let job = engine.jobs.find(&seen.state.job_id);
        job.is_some_and(|job| seen.state.watermark < engine.jobs.get(job).watermark())
    });
    if has_gone_back {
        engine.undecided.doubt();
    }
    let mut seen: HashMap<JobId, Surveyed> =
        surveyed.into_iter().map(|seen| (seen.state.job_id.clone(), seen)).collect();
    let mut owing = Vec::new();
    let mut moves = Vec::new();
    for look in looks {
        let entry = engine.jobs.get(look.job);
        let Some(seen) = seen.remove(&entry.settings().id) else { continue };
        let settled = if has_gone_back { &[][..] } else { &look.passed.settled };
        match conclude(engine, look.job, &seen, now, settled) {
            Conclusion::Decided(to) if to > seen.state.watermark => {
                let job_id = seen.state.job_id;
                moves.push(WatermarkMove { job_id, revision: seen.state.revision, from: seen.state.watermark, to });
            }
            Conclusion::Decided(_) => engine.move_on(look.job, seen.state.watermark),
            Conclusion::Owing => owing.push(look.job),
            Conclusion::Paused => engine.undecided.pause(look.job),
            Conclusion::Superseded => entry.supersede(),
        }
    }
    advance(engine, moves).await?;
    Some(owing)
}

/// What a look at a job came to.
enum Conclusion {
    /// Nothing is owed up to this instant.
    Decided(DateTime<Utc>),
    /// Something may be owed: a pass with the job locked says what.
    Owing,
    /// It is paused, and what falls in the pause is decided when that ends.
    Paused,
    /// Another revision is current.
    Superseded,
}

/// Concludes from what was seen of a job, and from the occurrences of which claims said that they have their rows.
fn conclude(
    engine: &Engine,
    job: JobIndex,
    seen: &Surveyed,
    now: DateTime<Utc>,
    settled: &[DateTime<Utc>],
) -> Conclusion {
    let entry = engine.jobs.get(job);
    let (settings, state) = (entry.settings(), &seen.state);
    if state.revision != entry.revision() {
        return Conclusion::Superseded;
    }
    match &state.pause {
        Some(pause) if pause.until.is_none_or(|until| until > now) => return Conclusion::Paused,
        Some(_) => return Conclusion::Owing,
        None => {}
    }
    let until = settings.due_until(now - self::look(), engine.instance).max(state.watermark);
    // Where the store is not shared, others decide as well (R15): the pass asks the lock backend before it writes anything.
    let is_decided = !seen.is_cut && state.enabled && has_rows(settings, (state.watermark, until), &seen.rows, settled);
    if is_decided { Conclusion::Decided(until) } else { Conclusion::Owing }
}

/// Moves watermarks, and lets go of what lies below them.
async fn advance(engine: &Arc<Engine>, moves: Vec<WatermarkMove>) -> Option<()> {
    if moves.is_empty() {
        return Some(());
    }
    let answer = limited(&*engine.clock, LIMIT, "move watermarks", engine.store.advance(&moves)).await;
    let moved = answer.inspect_err(|error| engine.health.store_failed(error)).ok()?;
    engine.health.store_answered();
    // Of the others somebody else was quicker, and the next look says what has become of them.
    let moved: HashSet<JobId> = moved.into_iter().collect();
    for one in moves.iter().filter(|one| moved.contains(&one.job_id)) {
        if let Some(job) = engine.jobs.find(&one.job_id) {
            engine.move_on(job, one.to);
        }
    }
    Some(())
}

impl Engine {
    /// Notes a job's watermark, and what lies above it.
    fn move_on(&self, job: JobIndex, watermark: DateTime<Utc>) {
        let entry = self.jobs.get(job);
        entry.move_watermark(watermark);
        let next = entry.settings().trigger.next_after(watermark).map(|next| self.due(job, next));
        self.undecided.pass(job, watermark, next);
    }
}

/// Decides what one job owes, pass after pass.
async fn decide(engine: &Arc<Engine>, job: JobIndex) {
    let entry = engine.jobs.get(job);
    while entry.is_current() && !engine.is_draining() {
        let before = entry.watermark();
        let Some((decided, until)) = pass(engine, job).await else { return };
        engine.move_on(job, decided.watermark);
        let next = entry.settings().trigger.next_after(decided.watermark).map(|next| engine.due(job, next));
        let is_owed = next.is_some_and(|next| next.not_before <= until);
        if !is_owed || decided.watermark <= before {
            return;
        }
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
