//! Jobs of every kind, for a simulation without jobs of one's own.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    context::JobContext,
    job::{Backoff, CatchUp, Job, JobBuilder, OnCrash, OverlapPolicy},
    outcome::{JobError, JobResult},
    testing::chance::Chance,
};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A job of each kind: fast, long, failing, panicking, stubborn, on request, with every policy for what was missed, for
/// overlaps, and for crashes.
pub(crate) fn every_kind(seed: u64) -> Vec<Job> {
    vec![
        working("fast", |job| job.every(SECOND), seed, 1..20),
        working(
            "coalesced",
            |job| job.cron("*/3 * * * * *").tz("Asia/Jakarta").catch_up_window(20 * SECOND),
            seed,
            1..900,
        ),
        working(
            "caught-up",
            |job| job.every(2 * SECOND).catch_up(CatchUp::All).catch_up_window(20 * SECOND),
            seed,
            1..200,
        ),
        working("missed", |job| job.every(SECOND).catch_up(CatchUp::Skip), seed, 1..100),
        working("long", |job| job.every(5 * SECOND), seed, 3_000..9_000),
        working("rerun", |job| job.every(2 * SECOND).on_crash(OnCrash::Rerun), seed, 100..3_000),
        working("queued", |job| job.every(3 * SECOND).overlap(OverlapPolicy::QueueOne), seed, 100..5_000),
        working(
            "parallel",
            |job| job.every(SECOND).overlap(OverlapPolicy::Allow).on_crash(OnCrash::Rerun),
            seed,
            100..4_000,
        ),
        working("cancelling", |job| job.every(10 * SECOND).overlap(OverlapPolicy::CancelRunning), seed, 5_000..15_000),
        working("on-request", JobBuilder::manual, seed, 10..3_000),
        failing(seed),
        panicking(seed),
        stubborn(seed),
    ]
}

fn job(id: &str) -> JobBuilder {
    Job::builder(id).lease_ttl(3 * SECOND).retries(3).retry_delay(500 * MILLI)
}

/// What is drawn for one attempt, whoever runs it and when.
fn draw(seed: u64, context: &JobContext) -> Chance {
    let mut hasher = DefaultHasher::new();
    (seed, context.job_id(), context.occurrence(), context.attempt()).hash(&mut hasher);
    Chance::new(hasher.finish())
}

/// A job that works for as many milliseconds, and ends early when it is told to stop.
fn working(id: &str, settings: impl FnOnce(JobBuilder) -> JobBuilder, seed: u64, millis: Range<u64>) -> Job {
    settings(job(id)).run(move |context: JobContext, stop: CancellationToken| {
        let length = draw(seed, &context).millis(millis.clone());
        async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => JobResult::<()>::Err(JobError::new("told to stop")),
                () = tokio::time::sleep(length) => Ok(()),
            }
        }
    })
}

fn failing(seed: u64) -> Job {
    let job = job("failing").every(4 * SECOND).backoff(Backoff::Exponential).overlap(OverlapPolicy::Allow);
    job.run(move |context: JobContext| async move {
        let mut chance = draw(seed, &context);
        tokio::time::sleep(chance.millis(1..300)).await;
        if chance.one_in(2) { Err(JobError::new("drawn to fail")) } else { JobResult::<()>::Ok(()) }
    })
}

fn panicking(seed: u64) -> Job {
    job("panicking").every(4 * SECOND).retries(1).run(move |context: JobContext| async move {
        let mut chance = draw(seed, &context);
        tokio::time::sleep(chance.millis(1..100)).await;
        if chance.one_in(2) {
            // Past the panic hook: nobody is to read a thousand backtraces, nor wait for them.
            std::panic::resume_unwind(Box::new("drawn to panic"));
        }
    })
}

/// A job that runs over its timeout now and then, and does not listen.
fn stubborn(seed: u64) -> Job {
    job("stubborn").every(8 * SECOND).timeout(2 * SECOND).retries(1).run(move |context: JobContext| async move {
        tokio::time::sleep(draw(seed, &context).millis(500..10_000)).await;
    })
}
