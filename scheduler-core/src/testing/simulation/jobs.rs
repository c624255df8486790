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

/// A service whose jobs are drawn from a seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    pub(crate) seed: u64,
    /// Two versions differ in how long a retry waits: of each job the one that was deployed last is current (R22).
    pub(crate) version: u32,
}

impl Service {
    /// A job of each kind: fast, long, failing, panicking, stubborn, on request, with every policy for what was missed,
    /// for overlaps, and for crashes.
    pub(crate) fn jobs(self) -> Vec<Job> {
        let at_jakarta = |job: JobBuilder| job.cron("*/3 * * * * *").tz("Asia/Jakarta");
        let side_by_side = |job: JobBuilder| job.every(SECOND).overlap(OverlapPolicy::Allow);
        vec![
            self.working("fast", 1..20, |job| job.every(SECOND)),
            self.working("coalesced", 1..900, |job| at_jakarta(job).catch_up_window(20 * SECOND)),
            self.working("caught-up", 1..200, |job| {
                job.every(2 * SECOND).catch_up(CatchUp::All).catch_up_window(20 * SECOND)
            }),
            self.working("missed", 1..100, |job| job.every(SECOND).catch_up(CatchUp::Skip)),
            self.working("long", 3_000..9_000, |job| job.every(5 * SECOND).jitter(4 * SECOND)),
            self.working("rerun", 100..3_000, |job| job.every(2 * SECOND).jitter(SECOND).on_crash(OnCrash::Rerun)),
            self.working("queued", 100..5_000, |job| job.every(3 * SECOND).overlap(OverlapPolicy::QueueOne)),
            self.working("parallel", 100..4_000, |job| side_by_side(job).on_crash(OnCrash::Rerun)),
            self.working("cancelling", 5_000..15_000, |job| {
                job.every(10 * SECOND).overlap(OverlapPolicy::CancelRunning)
            }),
            self.working("everywhere", 100..3_000, |job| job.every(4 * SECOND).jitter(4 * SECOND).every_instance(true)),
            self.working("after", 10..2_000, |job| job.after(["rerun"]).on_crash(OnCrash::Rerun)),
            self.working("beside", 10..2_000, |job| job.after(["rerun"]).on_crash(OnCrash::Rerun)),
            self.failing("after-both", |job| job.after(["after", "beside"])),
            self.working("on-request", 10..3_000, JobBuilder::manual),
            self.failing("failing", |job| job.every(4 * SECOND).overlap(OverlapPolicy::Allow)),
            self.panicking(),
            self.stubborn(),
        ]
    }

    fn job(self, id: &str) -> JobBuilder {
        let retry_delay = 500 * MILLI + self.version * 100 * MILLI;
        Job::builder(id).lease_ttl(3 * SECOND).retries(3).retry_delay(retry_delay)
    }

    /// What is drawn for one attempt, whoever runs it and when.
    fn draw(self, context: &JobContext) -> Chance {
        let mut hasher = DefaultHasher::new();
        (self.seed, context.job_id(), context.occurrence(), context.attempt()).hash(&mut hasher);
        Chance::new(hasher.finish())
    }

    /// A job that works for as many milliseconds, and ends early when it is told to stop.
    fn working(self, id: &str, millis: Range<u64>, settings: impl FnOnce(JobBuilder) -> JobBuilder) -> Job {
        settings(self.job(id)).run(move |context: JobContext, stop: CancellationToken| {
            let length = self.draw(&context).millis(millis.clone());
            async move {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => JobResult::<()>::Err(JobError::new("told to stop")),
                    () = tokio::time::sleep(length) => Ok(()),
                }
            }
        })
    }

    fn failing(self, id: &str, settings: impl FnOnce(JobBuilder) -> JobBuilder) -> Job {
        let job = settings(self.job(id)).backoff(Backoff::Exponential);
        job.run(move |context: JobContext| async move {
            let mut chance = self.draw(&context);
            tokio::time::sleep(chance.millis(1..300)).await;
            if chance.one_in(2) { Err(JobError::new("drawn to fail")) } else { JobResult::<()>::Ok(()) }
        })
    }

    fn panicking(self) -> Job {
        self.job("panicking").every(4 * SECOND).retries(1).run(move |context: JobContext| async move {
            let mut chance = self.draw(&context);
            tokio::time::sleep(chance.millis(1..100)).await;
            if chance.one_in(2) {
                // Past the panic hook: nobody is to read a thousand backtraces, nor wait for them.
                std::panic::resume_unwind(Box::new("drawn to panic"));
            }
        })
    }

    /// A job that runs over its timeout now and then, and does not listen.
    fn stubborn(self) -> Job {
        let job = self.job("stubborn").every(8 * SECOND).timeout(2 * SECOND).retries(1);
        job.run(move |context: JobContext| async move {
            tokio::time::sleep(self.draw(&context).millis(500..10_000)).await;
        })
    }
}
