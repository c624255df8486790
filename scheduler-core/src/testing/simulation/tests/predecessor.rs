//! The predecessor's algorithm, which fails: `SET NX EX 600`, run, `DEL`, and the log afterwards.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::seeds_until;
use crate::{
    clock::Clock as _,
    context::{Inner, JobContext, StateMap},
    engine::Reporter,
    execution::Execution,
    identity::{ExecutionId, FencingToken, JobId},
    job::Job,
    lock::{AcquireRequest, Acquired, LockBackend as _, LockError, LockMode},
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::{AnnounceRequest, Announcement, ControlStore as _, DecideView, DecisionPlan, Planner, StoreError},
    testing::{
        Backends, Invariant, Simulation,
        link::{Link as _, Operation},
        simulation::{jobs::Service, machine::Seat},
    },
};

/// The life of its lock, whatever the job.
const LOCK: Duration = Duration::from_secs(600);

/// How late it still fires (its scheduler's default).
const GRACE: TimeDelta = TimeDelta::seconds(1);

/// One process of it.
async fn live(seat: Seat, jobs: Arc<[Job]>) {
    let announced = AnnounceRequest {
        instance: seat.instance,
        jobs: jobs.iter().map(announcement).collect(),
        lease: LOCK,
        may_roll_back: false,
    };
    // Its table is there; our checker asks since when each job is known.
    seat.store.announce(&announced, &Nothing).await.expect("a store in memory answers");
    seat.site.see(&seat.store, &jobs).await;
    let jobs: Vec<Job> = jobs.iter().map(|job| seat.site.effects.watch(job)).collect();
    let seat = Arc::new(seat);
    let mut due: Vec<Option<DateTime<Utc>>> = jobs.iter().map(|job| next(job, seat.clock.now())).collect();
    loop {
        let now = seat.clock.now();
        for (job, due) in jobs.iter().zip(&mut due) {
            while let Some(at) = due.filter(|at| *at <= now) {
                if now - at < GRACE {
                    seat.process.service.spawn(fire(Arc::clone(&seat), job.clone(), at));
                }
                *due = next(job, if now - at < GRACE { at } else { now });
            }
        }
        let wait = due.iter().flatten().min().and_then(|at| (*at - seat.clock.now()).to_std().ok());
        seat.clock.sleep(wait.unwrap_or_default()).await;
    }
}

fn next(job: &Job, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    job.settings().trigger.next_after(after)
}

/// What it did for one occurrence on one instance.
async fn fire(seat: Arc<Seat>, job: Job, at: DateTime<Utc>) {
    let job_id = job.settings().id.clone();
    // Redis away: the occurrence is dropped in silence.
    let Ok(true) = set_nx(&seat, &job_id).await else { return };
    let started_at = seat.clock.now();
    let result = job.run(context(&seat, &job, at)).await;
    let finished_at = seat.clock.now();
    del(&seat, &job_id).await;
    let mut row = Execution::new(
        ExecutionId(0),
        job_id,
        OccurrenceKey::scheduled(at),
        Origin::Schedule,
        if result.is_ok() { Status::Succeeded } else { Status::Failed },
        at,
        finished_at,
    );
    (row.started_at, row.finished_at, row.instance) = (Some(started_at), Some(finished_at), Some(seat.instance));
    log(&seat, row).await;
}

async fn set_nx(seat: &Seat, job_id: &JobId) -> Result<bool, ()> {
    let (locks, request) = (
        seat.locks.clone(),
        AcquireRequest {
            job_id: job_id.clone(),
            owner: seat.instance,
            occurrence: None,
            mode: LockMode::Lease { ttl: LOCK, exclusive: true },
        },
    );
    let call = async move { locks.acquire(&[request]).await };
    let answer = seat.to_locks.carry(Operation::Acquire, call).await.map_err(drop)?;
    Ok(matches!(answer[..], [Acquired::Granted(_)]))
}

async fn del(seat: &Seat, job_id: &JobId) {
    let (locks, job_id) = (seat.locks.clone(), job_id.clone());
    let call = async move {
        locks.end_lease(&job_id);
        Ok::<_, LockError>(())
    };
    let _ = seat.to_locks.carry(Operation::Release, call).await;
}

async fn log(seat: &Seat, row: Execution) {
    let store = seat.store.clone();
    let call = async move { Ok::<_, StoreError>(store.put(row)) };
    let _ = seat.to_store.carry(Operation::Finish, call).await;
}

fn context(seat: &Seat, job: &Job, at: DateTime<Utc>) -> JobContext {
    JobContext::new(Inner {
        settings: Arc::clone(job.settings()),
        execution_id: ExecutionId(0),
        occurrence: OccurrenceKey::scheduled(at),
        origin: Origin::Schedule,
        attempt: 1,
        max_attempts: 1,
        scheduled_at: at,
        fence: FencingToken(0),
        instance: seat.instance,
        triggered_by: None,
        trace_context: None,
        params: None,
        upstream_results: None,
        cancellation: CancellationToken::new(),
        token_taken: Arc::default(),
        namespace: None,
        state: Arc::new(StateMap::default()),
        reporter: Reporter::of_nobody(ExecutionId(0)),
    })
}

/// It decides nothing.
#[derive(Debug)]
struct Nothing;

impl Planner for Nothing {
    fn plan(&self, _: &DecideView) -> DecisionPlan {
        DecisionPlan::default()
    }
}

fn announcement(job: &Job) -> Announcement {
    let settings = job.settings();
    Announcement {
        job_id: settings.id.clone(),
        fingerprint: settings.fingerprint(),
        trigger: settings.trigger.to_string(),
        zone: None,
        zone_data: None,
        policies: settings.policies(),
        enabled: true,
    }
}

fn predecessor(seed: u64) -> Simulation {
    // Its panics are not caught by anything of ours.
    let jobs: Arc<[Job]> = Service { seed, version: 0 }
        .jobs()
        .into_iter()
        .filter(|job| job.settings().id.as_str() != "panicking")
        .collect();
    Simulation {
        other: Some(Arc::new(move |seat| live(seat, Arc::clone(&jobs)).boxed())),
        ..Simulation::new(seed).backends(Backends::StoreAndLocks)
    }
}

#[test]
fn the_predecessor_runs_occurrences_twice() {
    assert!(seeds_until(&[Invariant::StartedOnce], predecessor) <= 10);
}

#[test]
fn the_predecessor_loses_occurrences() {
    assert!(seeds_until(&[Invariant::NoHole], predecessor) <= 10);
}

#[test]
fn the_predecessor_starts_before_the_time() {
    assert!(seeds_until(&[Invariant::InTime], predecessor) <= 10);
}

#[test]
fn the_predecessor_runs_what_nobody_knows_of() {
    assert!(seeds_until(&[Invariant::WrittenFirst], predecessor) <= 10);
}
