//! What this process has used.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// The wall clock, since the Unix epoch. Benchmarks measure the schedulers' own reading of time, so they read it too.
#[must_use]
pub fn wall_clock() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Realtime)).expect("a time after 1970")
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Processor time of all threads; other load on the machine hardly counts.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub resident: u64,
    /// How often its threads were woken.
    pub wakeups: u64,
}

impl Usage {
    /// Of this process, now.
    ///
    /// # Panics
    /// Where there is no Linux `/proc`.
    #[must_use]
    pub fn now() -> Self {
        Self {
            cpu: Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("processor time only grows"),
            resident: resident(),
            wakeups: wakeups(),
        }
    }
}

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux's /proc");
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("its second number");
    pages * rustix::param::page_size() as u64
}

/// Voluntary context switches of the threads that live: each is a wait that ended.
fn wakeups() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux's /proc");
    let statuses = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    statuses
        .filter_map(|status| {
            status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
        })
        .sum()
}
