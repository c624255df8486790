//! Jobs of every kind, and what the judge expects of each.

use std::time::Duration;

use scheduler::{
    job::{CatchUp, Job, OnCrash, OverlapPolicy},
    prelude::{JobContext, JobError, JobResult},
};

use crate::effects::{Effects, What};

/// Short, so that a run meets many of them; production has 30 s.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// A kind of job.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) id: &'static str,
    /// How many seconds lie between two occurrences, which fall on multiples of it; 0 for one that runs on request.
    pub(crate) every: i64,
    pub(crate) overlap: OverlapPolicy,
    pub(crate) on_crash: OnCrash,
    catch_up: CatchUp,
    /// How long its body takes, in milliseconds.
    takes: u64,
    /// How many of its first attempts fail.
    failures: u32,
}

/// A plain kind, which the others differ from.
const PLAIN: Kind = Kind {
    id: "fast",
    every: 1,
    overlap: OverlapPolicy::Skip,
    on_crash: OnCrash::Abandon,
    catch_up: CatchUp::Skip,
    takes: 5,
    failures: 0,
};

pub(crate) const KINDS: [Kind; 8] = [
    PLAIN,
    Kind { id: "rerun", on_crash: OnCrash::Rerun, takes: 200, ..PLAIN },
    Kind { id: "long", every: 20, takes: 8_000, ..PLAIN },
    Kind { id: "retried", every: 2, failures: 1, catch_up: CatchUp::Latest, ..PLAIN },
    Kind { id: "caught-up", catch_up: CatchUp::All, ..PLAIN },
    Kind { id: "overlapping", overlap: OverlapPolicy::Allow, takes: 1_500, ..PLAIN },
    Kind { id: "queued", every: 3, overlap: OverlapPolicy::QueueOne, takes: 2_000, ..PLAIN },
    Kind { id: "requested", every: 0, overlap: OverlapPolicy::QueueOne, takes: 50, ..PLAIN },
];

/// The job of a kind.
pub(crate) fn job(kind: &'static Kind, effects: &Effects) -> Job {
    let effects = effects.clone();
    let job = Job::builder(kind.id)
        .overlap(kind.overlap)
        .on_crash(kind.on_crash)
        .catch_up(kind.catch_up)
        .catch_up_window(Duration::from_secs(3_600))
        .retry_delay(Duration::from_secs(1))
        .lease_ttl(LEASE);
    let job = match kind.every {
        0 => job.manual(),
        1 => job.cron("* * * * * *"),
        seconds => job.cron(format!("*/{seconds} * * * * *")),
    };
    job.run(move |context: JobContext| body(kind, effects.clone(), context))
}

/// Works in steps, and stops between two of them when it is told to.
async fn body(kind: &'static Kind, effects: Effects, context: JobContext) -> JobResult<()> {
    effects.log(&context, What::Start);
    let stop = context.cancellation_token().clone();
    tokio::select! {
        biased;
        () = stop.cancelled() => return Err(JobError::new("told to stop")),
        () = tokio::time::sleep(Duration::from_millis(kind.takes)) => {}
    }
    if context.attempt() <= kind.failures {
        return Err(JobError::new("not yet"));
    }
    effects.log(&context, What::End);
    Ok(())
}
