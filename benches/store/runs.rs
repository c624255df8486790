//! What the bodies saw: each start, and what follows of all of them.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs, io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use scheduler_benches::quantile;

/// One start of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) job: u32,
    pub(crate) scheduled_ms: i64,
    pub(crate) attempt: u32,
    /// By the wall clock, in nanoseconds since the epoch.
    pub(crate) started_ns: i64,
}

/// The starts in one process.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<Vec<Run>>);

impl Runs {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn add(&self, run: Run) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(run);
    }

    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let mut text = String::new();
        for Run { job, scheduled_ms, attempt, started_ns } in
            self.0.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            writeln!(text, "{job} {scheduled_ms} {attempt} {started_ns}").expect("a string takes it");
        }
        fs::write(file, text)
    }
}

/// What a process wrote; nothing where it was killed before it could.
pub(crate) fn read(file: &Path) -> Vec<Run> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let run = |line: &str| {
        let mut numbers = line.split(' ').map(|number| number.parse::<i64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Run {
            job: u32::try_from(next()?).ok()?,
            scheduled_ms: next()?,
            attempt: u32::try_from(next()?).ok()?,
            started_ns: next()?,
        })
    };
    text.lines().filter_map(run).collect()
}

/// The occurrences that are counted: those of each job from one second on and before another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Seconds from an occurrence to the next.
    pub(crate) period: i64,
}

impl Window {
    pub(crate) const fn occurrences(self) -> i64 {
        (self.to - self.from) / self.period
    }

    const fn has(self, scheduled_ms: i64) -> bool {
        self.from * 1_000 <= scheduled_ms && scheduled_ms < self.to * 1_000
    }
}

/// What the bodies saw of a window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// How many occurrences had a first attempt.
    pub(crate) run: i64,
    /// How many more starts than attempts there were.
    pub(crate) doubled: i64,
    pub(crate) early: i64,
    /// How many attempts were not the first.
    pub(crate) retried: i64,
    /// Of first attempts, in milliseconds, in order.
    lateness: Vec<f64>,
}

impl Tally {
    pub(crate) fn of(runs: &[Run], window: Window) -> Self {
        let mut starts: HashMap<(u32, i64, u32), i64> = HashMap::new();
        let mut tally = Self::default();
        for run in runs.iter().filter(|run| window.has(run.scheduled_ms)) {
            *starts.entry((run.job, run.scheduled_ms, run.attempt)).or_default() += 1;
            let late_ns = run.started_ns - run.scheduled_ms * 1_000_000;
            tally.early += i64::from(late_ns < 0);
            if run.attempt == 1 {
                tally.lateness.push(late_ns as f64 / 1e6);
            }
        }
        let first = starts.keys().filter(|(_, _, attempt)| *attempt == 1).count();
        tally.run = i64::try_from(first).unwrap_or(i64::MAX);
        tally.retried = i64::try_from(starts.len() - first).unwrap_or(i64::MAX);
        tally.doubled = starts.values().map(|count| count - 1).sum();
        tally.lateness.sort_by(f64::total_cmp);
        tally
    }

    /// Nothing where nothing ran.
    pub(crate) fn late_ms(&self, at: f64) -> Option<f64> {
        (!self.lateness.is_empty()).then(|| quantile(&self.lateness, at))
    }
}
