//! Gives the recorder what happens.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{Counter, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use scheduler_cron::ZoneData;

use super::{
    claim_ended,
    table::{
        ALL, BUILD_INFO, CALL_ERRORS, CALLS_TIMED, CLOCK_OFFSET, DURATION, EXECUTIONS, INSTANCES, INSTANCES_GONE, Kind,
        LOSSES, NEXT_DUE, OCCURRENCES, OVERDUE, RENEWALS, RUNNING, STALLS, START_LAG, STARTED, STUCK, UP,
        ZONE_DATA_NEWEST,
    },
};
use crate::{
    engine::Engine,
    event::{Backend, Event},
    identity::JobId,
    occurrence::Origin,
    status::{Reason, Status},
    store::Decided,
};

/// The ends that operators are alerted to: counted from zero on, as the first one would not be a rise otherwise.
const ALERTED: [(Status, Option<Reason>); 6] = [
    (Status::Failed, None),
    (Status::Failed, Some(Reason::Panic)),
    (Status::Failed, Some(Reason::LeaseLost)),
    (Status::TimedOut, None),
    (Status::Abandoned, None),
    (Status::Missed, None),
];

/// Describes each metric, and gives what has not happened yet its zero.
pub(crate) fn start(engine: &Engine) {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram(_) => describe_histogram!(metric.name, metric.help),
        }
    }
    let zone_data = ZoneData::in_use();
    let versions = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service_version", engine.version.clone()),
        ("zone_data", zone_data.version().to_owned()),
    ];
    gauge!(BUILD_INFO.name, &versions).set(1);
    if let Some(newest) = zone_data.newest_change() {
        gauge!(ZONE_DATA_NEWEST.name).set(newest.timestamp() as f64);
    }
    for (_, entry) in engine.jobs.iter() {
        let job_id = &entry.settings().id;
        for (status, reason) in ALERTED {
            occurrences(job_id, status, reason).increment(0);
        }
        occurrences(job_id, Status::Succeeded, None).increment(0);
        gauge!(RUNNING.name, "job_id" => label(job_id)).increment(0);
        counter!(LOSSES.name, "job_id" => label(job_id)).increment(0);
    }
    counter!(INSTANCES_GONE.name).increment(0);
    counter!(STALLS.name).increment(0);
    up(Backend::Store, true);
    leases_renewed(Backend::Store, 0);
    if engine.locks.is_some() {
        up(Backend::Locks, true);
    }
    watched(0, 0);
}

/// Counts what the scheduler tells of.
pub(crate) fn told(event: &Event) {
    match event {
        Event::Finished { job_id, status, reason, next, .. } => ended(job_id, *status, *reason, next.is_some()),
        Event::Abandoned { job_id, next, .. } => ended(job_id, Status::Abandoned, None, next.is_some()),
        Event::InstanceGone { .. } => counter!(INSTANCES_GONE.name).increment(1),
        Event::Stalled { .. } => counter!(STALLS.name).increment(1),
        Event::BackendAway { backend } => up(*backend, false),
        Event::BackendBack { backend } => up(*backend, true),
        // Counted where more is known of it than the event says, or as what stands for now.
        Event::Started { .. } | Event::Missed { .. } | Event::Overdue { .. } | Event::Stuck { .. } => {}
    }
}

pub(crate) fn body_started(job_id: &JobId, origin: Origin, attempt: u32, lag: Duration) {
    counter!(STARTED.name, "job_id" => label(job_id), "origin" => origin.as_str()).increment(1);
    gauge!(RUNNING.name, "job_id" => label(job_id)).increment(1);
    // What is caught up, backfilled or tried again is late by its nature.
    if origin == Origin::Schedule && attempt == 1 {
        histogram!(START_LAG.name, "job_id" => label(job_id)).record(lag);
    }
}

pub(crate) fn body_ended(job_id: &JobId, duration: Duration) {
    gauge!(RUNNING.name, "job_id" => label(job_id)).decrement(1);
    histogram!(DURATION.name, "job_id" => label(job_id)).record(duration);
}

pub(crate) fn skipped(job_id: &JobId, reason: Reason, count: u64) {
    occurrences(job_id, Status::Skipped, Some(reason)).increment(count);
}

/// Counts what a pass over a job wrote of occurrences that do not run.
pub(crate) fn decided(job_id: &JobId, decided: &Decided) {
    for (_, outcome) in &decided.claims {
        claim_ended(job_id, outcome);
    }
    if decided.skipped > 0 {
        skipped(job_id, Reason::Paused, decided.skipped);
    }
    if decided.missed > 0 {
        occurrences(job_id, Status::Missed, None).increment(decided.missed);
    }
}

pub(crate) fn next_due(job_id: &JobId, at: DateTime<Utc>) {
    gauge!(NEXT_DUE.name, "job_id" => label(job_id)).set(seconds(at.timestamp_millis()));
}

pub(crate) fn leases_renewed(backend: Backend, count: usize) {
    counter!(RENEWALS.name, "backend" => word(backend)).increment(count as u64);
}

pub(crate) fn lease_lost(job_id: &JobId) {
    counter!(LOSSES.name, "job_id" => label(job_id)).increment(1);
}

pub(crate) fn clock_offset(offset_ms: i64) {
    gauge!(CLOCK_OFFSET.name).set(seconds(offset_ms));
}

/// What a look of the watchdog saw.
pub(crate) fn watched(overdue: usize, stuck: usize) {
    gauge!(OVERDUE.name).set(count(overdue));
    gauge!(STUCK.name).set(count(stuck));
}

pub(crate) fn instances(live: usize) {
    gauge!(INSTANCES.name).set(count(live));
}

pub(crate) fn call_ended(backend: Backend, operation: &'static str, duration: Duration, error: Option<&'static str>) {
    let backend = word(backend);
    histogram!(CALLS_TIMED.name, "backend" => backend, "operation" => operation).record(duration);
    if let Some(kind) = error {
        counter!(CALL_ERRORS.name, "backend" => backend, "operation" => operation, "kind" => kind).increment(1);
    }
}

fn ended(job_id: &JobId, status: Status, reason: Option<Reason>, is_followed: bool) {
    let reason_word = reason.map_or("", Reason::as_str);
    let labels = [("status", status.as_str()), ("reason", reason_word)];
    counter!(EXECUTIONS.name, "job_id" => label(job_id), labels[0].0 => labels[0].1, labels[1].0 => labels[1].1)
        .increment(1);
    if !is_followed {
        occurrences(job_id, status, reason).increment(1);
    }
}

fn occurrences(job_id: &JobId, status: Status, reason: Option<Reason>) -> Counter {
    let reason = reason.map_or("", Reason::as_str);
    counter!(OCCURRENCES.name, "job_id" => label(job_id), "status" => status.as_str(), "reason" => reason)
}

fn up(backend: Backend, answers: bool) {
    gauge!(UP.name, "backend" => word(backend)).set(f64::from(u8::from(answers)));
}

const fn word(backend: Backend) -> &'static str {
    match backend {
        Backend::Store => "store",
        Backend::Locks => "locks",
    }
}

fn label(job_id: &JobId) -> String {
    job_id.as_str().to_owned()
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

fn count(count: usize) -> f64 {
    count as f64
}
