//! Sees that every occurrence that went by has its row (R12).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use tracing::{info, warn};

use super::{
    LOOK,
    plan::{MOMENT, OwedPlanner, PASS, without_rows},
};
use crate::{
    engine::{Due, Engine, JobIndex, Passed, limited},
    event::Event,
    identity::JobId,
    metrics,
    store::{
        ClaimOutcome, DecideRequest, Decided, Deciding, StoreError, Survey, SurveyRequest, Surveyed, SurveyedJob,
        WatermarkMove,
    },
};

/// How many jobs are looked at in one statement: a server may compile one that it takes for dearer, which takes longer than
/// to run it.
const BATCH: usize = 2_000;

/// How many rows of a job are read in such a look: of more, a pass of its own sees the rest.
const ROWS: usize = 100;

/// How many occurrences of a job are claimed at a look; of more, a pass sees to them.
const CLAIMED: usize = 100;

/// How many jobs are decided in one transaction.
const PASSES: usize = 200;

/// How many rows of a job such a transaction reads; where there are more, the next pass goes on.
const VIEWED: usize = 1_000;

/// How many jobs are decided at a time where the lock backend is asked of each.
const AT_ONCE: usize = 8;

/// How long a transaction may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Looks at each job with an occurrence that went by two seconds ago or earlier.
///
/// Most need nothing: their occurrences have rows, as the claims of this instance were answered, or as the store says of all
/// of them in one statement; and one more moves their watermarks. What has no row and can still start in time is claimed with
/// all else that is due, many in a trip: under load that is what there is most of, and a transaction for each would be what
/// keeps the rest waiting. A job of which something is too late gets a pass with its state locked, many jobs a transaction.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let Some(under_way) = engine.begin().filter(|_| engine.has_room()) else { return };
    let mut jobs = Vec::new();
    for (job, passed) in engine.undecided.until(engine.now() - look()) {
        if engine.jobs.get(job).is_current() {
            jobs.push((job, passed));
        } else {
            engine.undecided.forget(job);
        }
    }
    let mut trusts = true;
    for batch in jobs.chunks(BATCH) {
        let looks: Vec<Look> = batch.iter().map(|(job, passed)| Look::at(engine, *job, passed, trusts)).collect();
        let Some(found) = survey(engine, &looks).await else { return };
        // What one statement saw to have gone back may have done so for all.
        trusts &= !found.has_gone_back;
        engine.claim_owed(&found.in_time, &under_way);
        // The backend is asked before anything is locked, and each job for itself.
        let at_once = if engine.claiming_locks().is_some() { 1 } else { PASSES };
        let passes: Vec<Vec<JobIndex>> = found.owing.chunks(at_once).map(<[JobIndex]>::to_vec).collect();
        let in_turn = if at_once == 1 { AT_ONCE } else { 1 };
        stream::iter(passes).for_each_concurrent(in_turn, |jobs| decide(engine, jobs)).await;
    }
}

/// A job that is looked at.
#[derive(Debug)]
struct Look<'a> {
    job: JobIndex,
    passed: &'a Passed,
    /// Whether answers of the store to this instance's claims still count.
    trusts: bool,
    /// Whether it is known of each occurrence since the last known watermark that it has its row, or will by a claim that is
    /// under way.
    is_settled: bool,
}

impl<'a> Look<'a> {
    fn at(engine: &Engine, job: JobIndex, passed: &'a Passed, trusts: bool) -> Self {
        let entry = engine.jobs.get(job);
        let settings = entry.settings();
        let until = settings.due_until(engine.now() - look(), engine.instance);
        let mut occurrences = settings.trigger.occurrences_between(entry.watermark(), until);
        let is_settled = trusts && occurrences.all(|at| passed.settled.contains(&at) || passed.is_under_way(at));
        Self { job, passed, trusts, is_settled }
    }
}

/// What a statement found.
#[derive(Debug, Default)]
struct Found {
    /// Occurrences without a row that can be claimed in time.
    in_time: Vec<Due>,
    /// Jobs of which a pass says what they owe.
    owing: Vec<JobIndex>,
    /// Whether the store is not what it was: a watermark lies before where it was.
    has_gone_back: bool,
}

/// Looks at jobs in one statement, and moves the watermarks over what is decided; `None` when the store does not answer.
async fn survey(engine: &Arc<Engine>, looks: &[Look<'_>]) -> Option<Found> {
    let ids = |look: &Look<'_>| engine.jobs.get(look.job).settings().id.clone();
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
    let mut found = Found { has_gone_back, ..Found::default() };
    let mut seen: HashMap<JobId, Surveyed> =
        surveyed.into_iter().map(|seen| (seen.state.job_id.clone(), seen)).collect();
    let mut moves = Vec::new();
    for look in looks {
        let entry = engine.jobs.get(look.job);
        let Some(seen) = seen.remove(&entry.settings().id) else { continue };
        let trusts = look.trusts && !has_gone_back;
        match conclude(engine, look, &seen, now, trusts) {
            Conclusion::Decided { up_to, in_time } => {
                found.in_time.extend(in_time);
                if up_to > seen.state.watermark {
                    let (job_id, revision) = (seen.state.job_id, seen.state.revision);
                    moves.push(WatermarkMove { job_id, revision, from: seen.state.watermark, to: up_to });
                } else {
                    engine.move_on(look.job, seen.state.watermark);
                }
            }
            Conclusion::Owing => found.owing.push(look.job),
            Conclusion::Paused => engine.undecided.pause(look.job),
            Conclusion::Superseded => entry.supersede(),
        }
    }
    advance(engine, moves).await?;
    Some(found)
}

/// What a look at a job came to.
enum Conclusion {
    /// Nothing is owed up to an instant, and what follows can be claimed in time, or is being claimed.
    Decided { up_to: DateTime<Utc>, in_time: Vec<Due> },
    /// Something may be owed: a pass with the job locked says what.
    Owing,
    /// It is paused, and what falls in the pause is decided when that ends.
    Paused,
    /// Another revision is current.
    Superseded,
}

/// Concludes from what was seen of a job, and from what is known of this instance's claims.
fn conclude(engine: &Engine, look: &Look<'_>, seen: &Surveyed, now: DateTime<Utc>, trusts: bool) -> Conclusion {
    let entry = engine.jobs.get(look.job);
    let (settings, state) = (entry.settings(), &seen.state);
    if state.revision != entry.revision() {
        return Conclusion::Superseded;
    }
    match &state.pause {
        Some(pause) if pause.until.is_none_or(|until| until > now) => return Conclusion::Paused,
        Some(_) => return Conclusion::Owing,
        None => {}
    }
    if seen.is_cut || !state.enabled {
        return Conclusion::Owing;
    }
    let until = settings.due_until(now - self::look(), engine.instance).max(state.watermark);
    let settled = if trusts { &look.passed.settled[..] } else { &[] };
    let mut up_to = until;
    let mut in_time = Vec::new();
    for at in without_rows(settings, (state.watermark, until), &seen.rows, settled) {
        let due = engine.due(look.job, at);
        let is_under_way = look.passed.is_under_way(at);
        let left = engine.deadline(&due) - now;
        // Where the store is not shared, others decide as well (R15): the pass asks the lock backend before it writes anything.
        let can_be_claimed = left > MOMENT && in_time.len() < CLAIMED && engine.claiming_locks().is_none();
        match is_under_way {
            true if left > TimeDelta::zero() => {}
            false if can_be_claimed => in_time.push(due),
            _ => return Conclusion::Owing,
        }
        // The watermark stops before the first one.
        up_to = up_to.min(at - TimeDelta::milliseconds(1));
    }
    Conclusion::Decided { up_to: up_to.max(state.watermark), in_time }
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

/// Decides what these jobs owe, pass after pass.
async fn decide(engine: &Arc<Engine>, mut jobs: Vec<JobIndex>) {
    loop {
        jobs.retain(|job| engine.jobs.get(*job).is_current());
        if jobs.is_empty() || engine.is_draining() {
            return;
        }
        jobs = pass(engine, &jobs).await;
    }
}

/// One pass over each of these jobs, in one transaction; answers those that still owe something. One that another instance
/// is at, or of which a backend does not answer, is left for the next look.
fn pass<'a>(engine: &'a Arc<Engine>, jobs: &'a [JobIndex]) -> BoxFuture<'a, Vec<JobIndex>> {
    pass_over(engine, jobs).boxed()
}

async fn pass_over(engine: &Arc<Engine>, jobs: &[JobIndex]) -> Vec<JobIndex> {
    let mut planners = Vec::with_capacity(jobs.len());
    for job in jobs {
        planners.extend(planner(engine, *job).await.map(|planner| (*job, planner)));
    }
    let request = |(job, planner): &(JobIndex, OwedPlanner)| DecideRequest {
        job_id: planner.settings.id.clone(),
        revision: engine.jobs.get(*job).revision(),
        instance: engine.instance,
        lag: LOOK,
        limit: if jobs.len() > 1 { VIEWED } else { PASS },
    };
    let passes: Vec<Deciding<'_>> =
        planners.iter().map(|one| Deciding { request: request(one), planner: &one.1 }).collect();
    let asked_at = engine.clock.uptime();
    match limited(&*engine.clock, LIMIT, "decide occurrences", engine.store.decide(&passes)).await {
        Ok(answers) => {
            engine.health.store_answered();
            let answered = planners.into_iter().zip(answers);
            answered
                .filter_map(|((job, planner), decided)| follow(engine, job, &planner, &decided?, asked_at))
                .collect()
        }
        // One that can't be written holds up none of the others.
        Err(StoreError::Rejected { .. }) if jobs.len() > 1 => {
            let mut owing = Vec::new();
            for job in jobs {
                owing.extend(pass(engine, std::slice::from_ref(job)).await);
            }
            owing
        }
        Err(error) => {
            engine.health.store_failed(&error);
            if error.is_unknown() {
                // What the passes claimed may be written, and nobody will run it.
                let claimed = |(job, planner): (JobIndex, OwedPlanner)| {
                    planner.into_claimed().into_iter().map(move |claim| (claim, job))
                };
                engine.give_up(planners.into_iter().flat_map(claimed));
            }
            Vec::new()
        }
    }
}

/// Who plans a job's pass; `None` when the lock backend does not answer.
async fn planner(engine: &Arc<Engine>, job: JobIndex) -> Option<OwedPlanner> {
    let entry = engine.jobs.get(job);
    let due_until = entry.settings().due_until(engine.now() - look(), engine.instance);
    let elsewhere = engine.decided_elsewhere(job, due_until, |at| engine.due(job, at)).await;
    let elsewhere = elsewhere.inspect_err(|error| engine.health.locks_failed(error, false)).ok()?;
    Some(OwedPlanner {
        settings: Arc::clone(entry.job.settings()),
        instance: engine.instance,
        elsewhere,
        claims: engine.claiming_locks().is_none(),
        claimed: Mutex::default(),
    })
}

/// Acts on a pass; answers the job if it owes more.
fn follow(
    engine: &Arc<Engine>,
    job: JobIndex,
    planner: &OwedPlanner,
    decided: &Decided,
    asked_at: Duration,
) -> Option<JobIndex> {
    let before = engine.jobs.get(job).watermark();
    act(engine, job, decided, asked_at);
    engine.move_on(job, decided.watermark);
    let until = decided.now - look();
    let until = planner.elsewhere.until.map_or(until, |asked| asked.min(until));
    let next = planner.settings.trigger.next_after(decided.watermark)?;
    let is_owed = engine.due(job, next).not_before <= until;
    (is_owed && decided.watermark > before).then_some(job)
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
