//! A job to watch several instances by.

use std::time::Duration;

use scheduler::{context::JobContext, job::Job};
use tracing::info;

/// A job that is due each second and logs the occurrence that it ran for: made at run time, for those who ask for it
/// by `--with-demo-tick`.
#[must_use]
pub fn demo_tick() -> Job {
    Job::builder("demo_tick")
        .name("Demo tick")
        .description("Logs that it ran, each second, on one of the instances.")
        .every(Duration::from_secs(1))
        .retries(0)
        .run(|context: JobContext| async move { info!(occurrence = %context.occurrence(), "tick") })
}
