//! Starts pending rows that are due (R2).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tracing::{debug, error};

use super::make_way;
use crate::{
    engine::{Assignment, Backoff, Engine, HeldLock, JobIndex, chain, limited},
    identity::{ClaimId, ExecutionId, JobId},
    job::OverlapPolicy,
    occurrence::Origin,
    store::{DueExecution, DueRequest, LostClaim, TakeOutcome, TakeRequest},
};

/// How many rows are looked for in one trip.
const LOOKED_FOR: usize = 10_000;

/// How many jobs are named in one trip.
const JOBS: usize = 1_000;

/// How many rows are taken in one trip.
const BATCH: usize = 1_000;

/// How many trips are under way at once: while the rows of one start, the next is taken.
const TRIPS: usize = 2;

/// How long a trip may take.
const LIMIT: Duration = Duration::from_secs(5);

/// How long a take whose reply was lost is repeated before it is left to R8.
const PATIENCE: Duration = Duration::from_secs(10);

/// A row on its way, with its lease where the lock backend is the claim.
type Wanted = (JobIndex, TakeRequest, Option<HeldLock>);

/// Takes all that is due; and again from the oldest on while as much was found as is looked for at once.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    engine.review_kept().await;
    make_way::run_once(engine).await;
    while pass(engine, None).await == Pass::Full {}
}

/// Takes what is due of these jobs.
pub(crate) async fn run_for(engine: &Arc<Engine>, jobs: &[JobIndex]) {
    for jobs in jobs.chunks(JOBS) {
        let ids: Vec<JobId> = jobs.iter().map(|job| engine.jobs.get(*job).settings().id.clone()).collect();
        while pass(engine, Some(&ids)).await == Pass::Full {}
    }
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Nothing more is due, or none of it can be started here now.
    Through,
    /// Rows were started, and there may be more behind them.
    Full,
}

/// One pass over what is due.
async fn pass(engine: &Arc<Engine>, jobs: Option<&[JobId]>) -> Pass {
    let mut after = None;
    let mut started = 0;
    loop {
        let Some(_under_way) = engine.begin().filter(|_| engine.has_room()) else { return Pass::Through };
        let request =
            DueRequest { instance: engine.instance, jobs: jobs.map(<[JobId]>::to_vec), after, limit: LOOKED_FOR };
        let look = engine.store.due(&request);
        let due = match limited(&*engine.clock, LIMIT, "look for pending executions", look).await {
            Ok(due) => due,
            Err(error) => {
                engine.health.store_failed(&error);
                return Pass::Through;
            }
        };
        engine.health.store_answered();
        let (seen, last) = (due.len(), due.last().map(DueExecution::place));
        let wanted = want(engine, due).await;
        started += take_all(engine, wanted).await;
        if seen < LOOKED_FOR {
            return Pass::Through;
        }
        if started > 0 {
            // What was started stands in nobody's way any more.
            return Pass::Full;
        }
        after = last;
    }
}

/// Takes these rows, a batch after the other; answers how many were started.
async fn take_all(engine: &Arc<Engine>, mut wanted: Vec<Wanted>) -> usize {
    let mut batches = Vec::new();
    while !wanted.is_empty() {
        let rest = wanted.split_off(wanted.len().min(BATCH));
        batches.push(std::mem::replace(&mut wanted, rest));
    }
    let taken = stream::iter(batches).map(|batch| take(engine, batch)).buffered(TRIPS);
    taken.fold(0, async |sum, started| sum + started).await
}

/// Which of the rows this instance may start.
async fn want(engine: &Arc<Engine>, due: Vec<DueExecution>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut keys = HashSet::new();
    for row in due {
        let Some(job) = engine.jobs.find(&row.job_id) else { continue };
        let entry = engine.jobs.get(job);
        if !entry.is_scheduled() && !matches!(row.origin, Origin::Manual | Origin::Backfill) {
            continue;
        }
        let settings = entry.settings();
        let holds_key = settings.overlap != OverlapPolicy::Allow;
        // Of two rows of a job the older one gets the key.
        if holds_key && keys.contains(&job) {
            continue;
        }
        let lock = match engine.acquire_for_take(job, row.execution_id).await {
            Ok(Some(lock)) => lock,
            Ok(None) => continue,
            Err(error) => {
                engine.health.locks_failed(&error, false);
                continue;
            }
        };
        let request = TakeRequest {
            execution_id: row.execution_id,
            claim_id: ClaimId::random(),
            holds_key,
            at_once: (!holds_key && row.origin.is_belated()).then(|| settings.catch_up_limit.max(1)),
            rerun_on_crash: settings.reruns_on_crash(),
            lease: settings.lease_ttl,
            instance: engine.instance,
            every_instance: settings.every_instance,
        };
        keys.insert(job);
        wanted.push((job, request, lock));
    }
    wanted
}

/// Takes these rows; answers how many were started.
async fn take(engine: &Arc<Engine>, wanted: Vec<Wanted>) -> usize {
    let requests: Vec<TakeRequest> = wanted.iter().map(|(_, request, _)| request.clone()).collect();
    let begun_at = engine.clock.uptime();
    let mut asked_at = begun_at;
    let mut unknown = false;
    let mut backoff = Backoff::new();
    let outcomes = loop {
        if !unknown {
            asked_at = engine.clock.uptime();
        }
        match limited(&*engine.clock, LIMIT, "take pending executions", engine.store.take(&requests)).await {
            Ok(outcomes) => break outcomes,
            Err(error) if error.is_retryable() && may_repeat(engine, begun_at) && !engine.is_draining() => {
                engine.health.store_failed(&error);
                unknown |= error.is_unknown();
                engine.rest(backoff.next_delay()).await;
            }
            Err(error) => {
                error!(
                    error = chain(&error),
                    rows = requests.len(),
                    "pending executions could not be taken: tried again at the next look"
                );
                if unknown || error.is_unknown() {
                    engine.give_up(wanted.iter().map(|(job, request, _)| (LostClaim::of_take(request), *job)));
                }
                for (_, _, lock) in wanted {
                    engine.release(lock.map(|lock| lock.lease)).await;
                }
                return 0;
            }
        }
    };
    engine.health.store_answered();
    let mut locks: HashMap<ExecutionId, _> =
        wanted.into_iter().map(|(job, request, lock)| (request.execution_id, (job, request.claim_id, lock))).collect();
    let mut started = 0;
    for (request, outcome) in requests.iter().zip(outcomes) {
        let Some((job, claim_id, lock)) = locks.remove(&request.execution_id) else { continue };
        match outcome {
            TakeOutcome::Granted { grant, execution } => {
                started += 1;
                engine.start(Assignment {
                    job,
                    execution_id: grant.execution_id,
                    fence: grant.fence,
                    claim_id,
                    occurrence: execution.occurrence,
                    origin: execution.origin,
                    attempt: execution.attempt,
                    max_attempts: execution.max_attempts,
                    scheduled_at: execution.scheduled_at,
                    params: execution.params,
                    upstream_results: execution.upstream_results,
                    triggered_by: execution.triggered_by,
                    trace_context: execution.trace_context,
                    asked_at,
                    lock,
                });
            }
            TakeOutcome::Refused(refusal) => {
                debug!(execution_id = %request.execution_id, ?refusal, "a pending execution is not ours yet");
                engine.release(lock.map(|lock| lock.lease)).await;
            }
        }
    }
    started
}

/// Whether a take is tried again: not for long, and not by an instance that stops.
fn may_repeat(engine: &Engine, begun_at: Duration) -> bool {
    engine.clock.uptime() - begun_at < PATIENCE && !engine.is_draining()
}
