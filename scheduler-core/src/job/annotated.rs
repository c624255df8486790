//! Annotated functions as bodies.

use super::{Arguments, Body, Job, JobBuilder};
use crate::{
    context::JobContext,
    outcome::{JobError, JobResult},
};

impl JobBuilder {
    /// The job of a function with `#[scheduled_job]`, whose arguments, start and end the expansion spells out.
    ///
    /// What every job has in common is here and not in the expansion: a crate with many jobs compiles it once. And each
    /// of the three asks one thing of the function, so that a mistake is reported once, where it is.
    #[doc(hidden)]
    #[must_use]
    pub fn run_annotated<Fut: Future + Send + 'static>(
        self,
        arguments: Arguments,
        start: fn(&JobContext) -> Result<Fut, JobError>,
        end: fn(Fut::Output) -> JobResult,
    ) -> Job {
        let run = move |context: JobContext| -> futures_util::future::BoxFuture<'static, JobResult> {
            Box::pin(async move { end(start(&context)?.await) })
        };
        self.with_body(Body { run: Box::new(run), arguments })
    }
}
