//! What one process measures.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use scheduler_benches::{Usage, quantile, wall_clock};
use serde_json::{Value, json};

use crate::peer::Peer;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Jobs that are due in about a year: what registering costs, and what waiting costs.
    Idle,
    /// Jobs that are all due in the same second.
    Burst,
}

impl Scenario {
    pub(crate) const ALL: [Self; 2] = [Self::Idle, Self::Burst];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Burst => "burst",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Idle => "Register, then idle",
            Self::Burst => "Burst: all due in one second",
        }
    }
}

/// The first start of each job in nanoseconds since the epoch, and how often it started.
static STARTS: OnceLock<Vec<(AtomicI64, AtomicU32)>> = OnceLock::new();
static STARTED: AtomicUsize = AtomicUsize::new(0);

fn body(index: usize) {
    let now = nanos(wall_clock());
    let (first, count) = &STARTS.get().expect("set before any job is registered")[index];
    if count.fetch_add(1, Relaxed) == 0 {
        first.store(now, Relaxed);
    }
    STARTED.fetch_add(1, Relaxed);
}

/// Runs one scenario of one peer and answers what was measured.
pub(crate) fn run_child(arguments: &[String]) -> Value {
    let [peer, scenario, jobs, idle_seconds] = arguments else { panic!("child PEER SCENARIO JOBS IDLE_SECONDS") };
    let peer = Peer::named(peer).expect("a peer's name");
    let jobs: usize = jobs.parse().expect("a number of jobs");
    let idle = Duration::from_secs(idle_seconds.parse().expect("a number of seconds"));
    STARTS.set((0..jobs).map(|_| (AtomicI64::new(0), AtomicU32::new(0))).collect()).expect("set once");
    let mut runtime = if peer.is_current_thread() {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    runtime.worker_threads(2).enable_all().build().expect("a runtime").block_on(async {
        if scenario == Scenario::Idle.name() {
            measure_idle(peer, jobs, idle).await
        } else {
            measure_burst(peer, jobs).await
        }
    })
}

async fn measure_idle(peer: Peer, jobs: usize, idle: Duration) -> Value {
    // The day before yesterday, which comes again in about a year.
    let day = instant(wall_clock()) - TimeDelta::days(2);
    let before = Usage::now();
    peer.start(jobs, &format!("0 0 0 {} {} *", day.day(), day.month()), body).await;
    // Until what starting left behind has settled.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let settled = Usage::now();
    tokio::time::sleep(idle).await;
    let after = Usage::now();
    json!({
        "register_cpu_ms": millis(settled.cpu - before.cpu),
        "bytes_per_job": settled.resident.saturating_sub(before.resident) as f64 / jobs as f64,
        "idle_cpu_ms_per_30s": millis(after.cpu - settled.cpu) * 30.0 / idle.as_secs_f64(),
        "wakeups_per_second": after.wakeups.saturating_sub(settled.wakeups) as f64 / idle.as_secs_f64(),
    })
}

async fn measure_burst(peer: Peer, jobs: usize) -> Value {
    /// How long a burst may take before what has not started is lost.
    const LONGEST: Duration = Duration::from_secs(30);
    /// How long is waited for second starts once all have started.
    const QUIET: Duration = Duration::from_millis(2_500);
    let lead = Duration::from_secs(3 + jobs as u64 / 2_000);
    let due = Duration::from_secs(wall_clock().as_secs()) + lead;
    let at = instant(due);
    let expression = format!("{} {} {} {} {} *", at.second(), at.minute(), at.hour(), at.day(), at.month());
    peer.start(jobs, &expression, body).await;
    let in_time = wall_clock() < due;
    tokio::time::sleep(due.saturating_sub(wall_clock()).saturating_sub(Duration::from_millis(500))).await;
    let before = Usage::now();
    while STARTED.load(Relaxed) < jobs && wall_clock() < due + LONGEST {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let used = Usage::now().cpu - before.cpu;
    tokio::time::sleep(QUIET).await;
    let starts = STARTS.get().expect("set before any job is registered");
    let counts = |wanted: fn(u32) -> bool| starts.iter().filter(|(_, count)| wanted(count.load(Relaxed))).count();
    let mut lateness: Vec<f64> = starts
        .iter()
        .filter(|(_, count)| count.load(Relaxed) > 0)
        .map(|(first, _)| (first.load(Relaxed) - nanos(due)) as f64 / 1e6)
        .collect();
    lateness.sort_by(f64::total_cmp);
    let late = |at: f64| if lateness.is_empty() { f64::NAN } else { quantile(&lateness, at) };
    json!({
        "registered_in_time": in_time,
        "late_ms_p50": late(0.5),
        "late_ms_p99": late(0.99),
        "late_ms_max": late(1.0),
        "cpu_us_per_start": used.as_secs_f64() * 1e6 / STARTED.load(Relaxed).max(1) as f64,
        "lost": counts(|count| count == 0),
        "doubled": counts(|count| count > 1),
        "early": lateness.iter().filter(|late| **late < 0.0).count(),
    })
}

fn instant(since_epoch: Duration) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos(since_epoch))
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).expect("a time before 2262")
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
