//! Runs many seeds of the simulation: `cargo xtask soak` calls it.
//!
//! `simulate [--seeds N] [--from S]` runs N seeds from S on, on all cores, and tells of each that has violations.
//! `simulate --trace S` runs one seed and tells all that happened.
#![expect(clippy::print_stdout, reason = "a program's answer goes to stdout")]

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use scheduler_core::{
    clock::{Clock as _, SystemClock},
    testing::{Report, Simulation},
};

/// What all seeds came to.
#[derive(Debug, Default)]
struct Total {
    seeds: u64,
    violated: Vec<u64>,
    machines: usize,
    occurrences: usize,
    fewest_occurrences: Option<usize>,
    fewest_faults: Option<usize>,
    starts: usize,
    faults: BTreeMap<&'static str, usize>,
    backends: BTreeMap<String, usize>,
    statuses: BTreeMap<String, usize>,
}

impl Total {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        if !report.violations.is_empty() {
            self.violated.push(report.seed);
        }
        self.machines += report.machines;
        self.occurrences += report.occurrences;
        let fewest = |least: Option<usize>, count: usize| Some(least.map_or(count, |least| least.min(count)));
        self.fewest_occurrences = fewest(self.fewest_occurrences, report.occurrences);
        self.fewest_faults = fewest(self.fewest_faults, report.faults.len());
        self.starts += report.starts();
        for kind in &report.faults {
            *self.faults.entry(kind.as_str()).or_default() += 1;
        }
        *self.backends.entry(format!("{:?}", report.backends)).or_default() += 1;
        for row in &report.executions {
            let reason = row.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let late = if row.late { ", late" } else { "" };
            *self.statuses.entry(format!("{}{reason}{late}", row.status)).or_default() += 1;
        }
    }

    fn print(&self, took: Duration) {
        let Self { seeds, machines, occurrences, starts, .. } = self;
        let faults: usize = self.faults.values().sum();
        println!("{seeds} seeds in {:.1} s, {machines} machines", took.as_secs_f64());
        println!("{occurrences} occurrences, at least {} a seed", self.fewest_occurrences.unwrap_or_default());
        println!("{faults} faults, at least {} a seed: {}", self.fewest_faults.unwrap_or_default(), list(&self.faults));
        println!("{starts} bodies started");
        println!("backends: {}", list(&self.backends));
        println!("rows: {}", list(&self.statuses));
        println!("{} seeds with violations: {:?}", self.violated.len(), self.violated);
    }
}

fn list(counts: &BTreeMap<impl std::fmt::Display, usize>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut from, mut seeds, mut traced) = (0, 1_000, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse().ok());
        match (name.as_str(), value) {
            ("--seeds", Some(value)) => seeds = value,
            ("--from", Some(value)) => from = value,
            ("--trace", Some(value)) => traced = Some(value),
            _ => {
                eprintln!("usage: simulate [--seeds N] [--from S] | --trace S");
                return ExitCode::FAILURE;
            }
        }
    }
    match traced {
        Some(seed) => trace(seed),
        None => run_all(from, seeds),
    }
}

fn trace(seed: u64) -> ExitCode {
    let report = run(&Simulation::new(seed).in_words());
    report.trace.iter().for_each(|line| println!("{line}"));
    println!("{report}");
    ExitCode::from(u8::from(!report.violations.is_empty()))
}

fn run_all(from: u64, seeds: u64) -> ExitCode {
    let (next, total) = (AtomicU64::new(from), Mutex::new(Total::default()));
    let began = SystemClock.uptime();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        return;
                    }
                    let report = run(&Simulation::new(seed));
                    if !report.violations.is_empty() {
                        println!("{report}");
                    }
                    total.lock().unwrap_or_else(PoisonError::into_inner).add(&report);
                }
            });
        }
    });
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.print(SystemClock.uptime() - began);
    ExitCode::from(u8::from(!total.violated.is_empty()))
}

fn run(simulation: &Simulation) -> Report {
    simulation.run().expect("its own jobs are valid")
}
