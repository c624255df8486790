//! Each metric, with its kind, its labels and what it says.

/// What a metric's values are.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A number that grows.
    Counter,
    /// A number that stands for now.
    Gauge,
    /// Values by these upper bounds, in the metric's unit.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The name, which ends in its unit, and in `_total` where it counts.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in a line.
    pub help: &'static str,
}

impl Metric {
    const fn new(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind, labels, help }
    }
}

/// From a claim that is nearly at its instant to one that waited for a database's failover.
const LAGS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// From a job that does nothing to one that takes an hour.
const DURATIONS: &[f64] = &[0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// From a round trip on one machine to the longest time limit.
const CALLS: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

pub(crate) const BUILD_INFO: Metric = Metric::new(
    "scheduler_build_info",
    Kind::Gauge,
    &["version", "service_version", "zone_data"],
    "1; the scheduler's version, the service's, and the release of the zone data.",
);
pub(crate) const ZONE_DATA_NEWEST: Metric = Metric::new(
    "scheduler_zone_data_newest_change_timestamp_seconds",
    Kind::Gauge,
    &[],
    "The newest change of a country's clock that the zone data knows up to its release's year, in Unix time; over a year ago, the data is old.",
);
pub(crate) const OCCURRENCES: Metric = Metric::new(
    "scheduler_occurrences_total",
    Kind::Counter,
    &["job_id", "status", "reason"],
    "Occurrences that this instance saw end with no further attempt, skipped or missed, by their outcome.",
);
pub(crate) const EXECUTIONS: Metric = Metric::new(
    "scheduler_executions_total",
    Kind::Counter,
    &["job_id", "status", "reason"],
    "Attempts whose outcome this instance wrote, or that it found abandoned.",
);
pub(crate) const STARTED: Metric = Metric::new(
    "scheduler_executions_started_total",
    Kind::Counter,
    &["job_id", "origin"],
    "Attempts that this instance started.",
);
pub(crate) const RUNNING: Metric =
    Metric::new("scheduler_executions_running", Kind::Gauge, &["job_id"], "Bodies that run on this instance now.");
pub(crate) const STUCK: Metric = Metric::new(
    "scheduler_executions_stuck",
    Kind::Gauge,
    &[],
    "Bodies on this instance that were told to stop, had their grace time, and run on.",
);
pub(crate) const START_LAG: Metric = Metric::new(
    "scheduler_start_lag_seconds",
    Kind::Histogram(LAGS),
    &["job_id"],
    "How long after its instant a schedule's occurrence started, first attempts alone.",
);
pub(crate) const DURATION: Metric = Metric::new(
    "scheduler_execution_duration_seconds",
    Kind::Histogram(DURATIONS),
    &["job_id"],
    "How long bodies ran, however they ended.",
);
pub(crate) const NEXT_DUE: Metric = Metric::new(
    "scheduler_next_due_timestamp_seconds",
    Kind::Gauge,
    &["job_id"],
    "The next instant of the job's schedule, in Unix time, whether the job is paused or not.",
);
pub(crate) const OVERDUE: Metric = Metric::new(
    "scheduler_jobs_overdue",
    Kind::Gauge,
    &[],
    "Jobs with an occurrence that went by over ten seconds ago and is not decided.",
);
pub(crate) const RENEWALS: Metric = Metric::new(
    "scheduler_lease_renewals_total",
    Kind::Counter,
    &["backend"],
    "Leases of running executions that were extended.",
);
pub(crate) const LOSSES: Metric = Metric::new(
    "scheduler_lease_losses_total",
    Kind::Counter,
    &["job_id"],
    "Bodies that were told to stop because their lease was lost, or could not be renewed in time.",
);
pub(crate) const UP: Metric = Metric::new(
    "scheduler_backend_up",
    Kind::Gauge,
    &["backend"],
    "1 while the backend answers this instance, else 0.",
);
pub(crate) const CALLS_TIMED: Metric = Metric::new(
    "scheduler_backend_call_duration_seconds",
    Kind::Histogram(CALLS),
    &["backend", "operation"],
    "How long calls to a backend took, failed ones too.",
);
pub(crate) const CALL_ERRORS: Metric = Metric::new(
    "scheduler_backend_call_errors_total",
    Kind::Counter,
    &["backend", "operation", "kind"],
    "Calls to a backend that came to nothing.",
);
pub(crate) const INSTANCES: Metric = Metric::new(
    "scheduler_instances",
    Kind::Gauge,
    &[],
    "Instances on this store that were heard of within a lease, as this one sees them.",
);
pub(crate) const INSTANCES_GONE: Metric = Metric::new(
    "scheduler_instances_gone_total",
    Kind::Counter,
    &[],
    "Other instances that went away without a word, as this one saw them.",
);
pub(crate) const STALLS: Metric = Metric::new(
    "scheduler_stalls_total",
    Kind::Counter,
    &[],
    "How often the scheduler's loop stood still for over ten seconds.",
);
pub(crate) const CLOCK_OFFSET: Metric = Metric::new(
    "scheduler_clock_offset_seconds",
    Kind::Gauge,
    &[],
    "How far the store's clock is ahead of this machine's.",
);

/// Every metric, in the order of the docs.
pub const ALL: &[Metric] = &[
    OCCURRENCES,
    EXECUTIONS,
    STARTED,
    RUNNING,
    STUCK,
    START_LAG,
    DURATION,
    NEXT_DUE,
    OVERDUE,
    RENEWALS,
    LOSSES,
    UP,
    CALLS_TIMED,
    CALL_ERRORS,
    INSTANCES,
    INSTANCES_GONE,
    STALLS,
    CLOCK_OFFSET,
    BUILD_INFO,
    ZONE_DATA_NEWEST,
];
