//! Each flaw of the design is seen: a simulation that no flaw fails shows nothing.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::{
    flawed::{Filter, Flaw, FlawedStore, ReleasingLocks},
    seeds_until,
};
use crate::{
    job::Job,
    testing::{Backends, FaultKind, Invariant, Simulation},
};

fn with(flaw: Flaw) -> impl Fn(u64) -> Simulation {
    move |seed| Simulation {
        deciding: Some(Arc::new(move |store, clock| Arc::new(FlawedStore::new(store, flaw, clock)))),
        ..Simulation::new(seed).backends(Backends::Store)
    }
}

/// A flaw that is seen in one seed of many would be seen by luck.
fn assert_soon(seeds: u64) {
    assert!(seeds <= 100, "seen after {seeds} seeds");
}

#[test]
fn a_claim_that_is_not_unique_starts_bodies_twice() {
    assert_soon(seeds_until(&[Invariant::StartedOnce], with(Flaw::NoUniqueClaim)));
}

#[test]
fn an_outcome_without_a_fence_overwrites_another_s_end() {
    assert_soon(seeds_until(&[Invariant::State, Invariant::Attempts], with(Flaw::FinishWithoutFence)));
}

#[test]
fn expiry_by_a_local_clock_takes_runs_from_the_living() {
    assert_soon(seeds_until(&[Invariant::NoZombie], with(Flaw::ExpiryByLocalClock)));
}

#[test]
fn a_row_after_the_run_is_of_a_body_that_nobody_knew() {
    assert_soon(seeds_until(&[Invariant::WrittenFirst], with(Flaw::ClaimAfterRun)));
    assert_soon(seeds_until(&[Invariant::StartedOnce], with(Flaw::ClaimAfterRun)));
}

/// R12: whoever was let through may have died before its claim: the others' watermarks pass over an occurrence without a row.
#[test]
fn an_answer_of_the_filter_taken_for_a_decision_leaves_holes() {
    let filtered = |seed| {
        let filter = Filter::default();
        let (kept, asked) = (Arc::clone(&filter), filter);
        Simulation {
            wrap_locks: Arc::new(move |locks| {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(locks.clone());
                Arc::new(locks)
            }),
            deciding: Some(Arc::new(move |store, clock| {
                Arc::new(FlawedStore::new(store, Flaw::FilterDecides, clock).behind(Arc::clone(&asked)))
            })),
            ..Simulation::new(seed).backends(Backends::StoreAndLocks)
        }
    };
    assert_soon(seeds_until(&[Invariant::NoHole], filtered));
}

/// Three jobs that run longer than their periods, on machines that stand still for longer than a lease: each end of a
/// run that lost its lease finds another's.
#[test]
fn a_release_of_another_s_lease_lets_two_run_at_once() {
    const SECOND: Duration = Duration::from_secs(1);
    let working = |id: &str| {
        let job = Job::builder(id).every(SECOND).lease_ttl(2 * SECOND).retries(0);
        job.run(|| async { tokio::time::sleep(5 * SECOND).await })
    };
    let jobs = ["one", "two", "three"].map(working);
    let others = FaultKind::ALL.iter().filter(|kind| **kind != FaultKind::Pause);
    let paused = move |seed| {
        let jobs = jobs.clone();
        let simulation = Simulation::new(seed).backends(Backends::LocksAlone).faults(40);
        let simulation = others.clone().fold(simulation, |simulation, kind| simulation.without(*kind));
        simulation.scheduler(move |it| it.jobs(jobs.clone()))
    };
    let releasing = |seed| Simulation { wrap_locks: Arc::new(|locks| Arc::new(ReleasingLocks(locks))), ..paused(seed) };
    assert_soon(seeds_until(&[Invariant::NoZombie], releasing));
    assert_eq!(paused(0).run().expect("valid jobs").violations, [], "it is the release alone");
}
