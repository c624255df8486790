mod flawed;
mod mutations;
mod predecessor;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::*;
use crate::{
    execution::Execution,
    occurrence::Origin,
    status::{Reason, Status},
    testing::Invariant,
};

/// Runs seeds until one violates an invariant; answers how many were run.
fn seeds_until(invariants: &[Invariant], simulation: impl Fn(u64) -> Simulation) -> u64 {
    /// How many seeds it may take at most.
    const SEEDS: u64 = 1_000;
    for seed in 0..SEEDS {
        let report = simulation(seed).run().expect("valid jobs");
        if report.violations.iter().any(|violation| invariants.contains(&violation.invariant)) {
            return seed + 1;
        }
    }
    panic!("{SEEDS} seeds did not violate any of {invariants:?}");
}

/// Runs these seeds on all cores.
fn run_all(seeds: std::ops::Range<u64>) -> Vec<Report> {
    let (next, reports) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    // Denser than usual: a build for tests has half a minute for all of them.
                    let simulation = Simulation::new(seed).span(Duration::from_secs(25));
                    let report = simulation.run().expect("valid jobs");
                    reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What a row may be after a fault, that it is not in fair weather.
fn signs(row: &Execution) -> Vec<String> {
    let late = row.late.then(|| "late".to_owned());
    let caught_up = (row.origin == Origin::CatchUp).then(|| Origin::CatchUp.to_string());
    let reason = row.reason.map(|reason| format!("{} ({reason})", row.status));
    [Some(row.status.to_string()), reason, late, caught_up].into_iter().flatten().collect()
}

/// A few of the seeds that `cargo xtask soak` runs.
#[test]
fn every_promise_is_kept_under_faults() {
    let reports = run_all(0..200);
    let violated: Vec<String> =
        reports.iter().filter(|report| !report.violations.is_empty()).map(Report::to_string).collect();
    assert!(violated.is_empty(), "{}", violated.join("\n"));
    for report in &reports {
        assert!((3..=5).contains(&report.machines), "{report}");
        assert!(report.occurrences >= 200 && report.faults.len() >= 20, "{report}");
    }
    let seen: BTreeSet<String> = reports.iter().flat_map(|report| &report.executions).flat_map(signs).collect();
    let and = |status: Status, reason: Reason| format!("{status} ({reason})");
    let expected = [
        "late".to_owned(),
        Origin::CatchUp.to_string(),
        Status::TimedOut.to_string(),
        Status::Abandoned.to_string(),
        and(Status::Abandoned, Reason::UnknownCommit),
        and(Status::Failed, Reason::LeaseLost),
        and(Status::Failed, Reason::Panic),
        and(Status::Cancelled, Reason::ByRequest),
        and(Status::Cancelled, Reason::Shutdown),
        and(Status::Skipped, Reason::Overlap),
        and(Status::Skipped, Reason::QueueFull),
        and(Status::Missed, Reason::Deadline),
        and(Status::Missed, Reason::Coalesced),
    ];
    let unseen: Vec<_> = expected.iter().filter(|sign| !seen.contains(*sign)).collect();
    assert!(unseen.is_empty(), "no fault led to {unseen:?}: {seen:?}");
    let kinds: BTreeSet<&str> = reports.iter().flat_map(|report| &report.faults).map(|kind| kind.as_str()).collect();
    assert_eq!(kinds.len(), FaultKind::ALL.len(), "{kinds:?}");
}

#[test]
fn a_seed_does_the_same_again() {
    for backends in [Backends::Store, Backends::StoreAndLocks, Backends::LocksAlone] {
        let run = |seed| Simulation::new(seed).backends(backends).run().expect("valid jobs");
        let first = run(1);
        let again = run(1);
        assert_eq!((first.hash, &first.effects, &first.executions), (again.hash, &again.effects, &again.executions));
        assert_ne!(first.hash, run(2).hash);
    }
}

#[test]
fn a_trace_tells_what_the_hash_is_of() {
    let report = Simulation::new(3).in_words().run().expect("valid jobs");
    assert_eq!(report.hash, Simulation::new(3).run().expect("valid jobs").hash);
    assert!(report.trace.iter().any(|line| line.contains("Fault { kind: ")), "{} lines", report.trace.len());
    assert!(report.trace.iter().any(|line| line.contains("Effect { at: ")));
}

#[test]
fn mistakes_in_jobs_come_back() {
    let error = Simulation::new(1).scheduler(|it| it.jobs([crate::job::Job::builder("?").manual().run(|| async {})]));
    assert!(error.run().expect_err("a wrong id").to_string().contains("job id"));
}
