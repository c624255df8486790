//! A body's context without an engine.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Inner, JobContext, StateMap},
    engine::Reporter,
    identity::{ExecutionId, FencingToken, InstanceId},
    job::Job,
    occurrence::{OccurrenceKey, Origin},
};

/// A context to call a job's function with: of the first attempt at this occurrence, on time, with no state and no
/// parameters. Nobody stops it, and nobody is told its progress.
///
/// ```
/// use scheduler_core::{context::JobContext, job::Job, testing};
///
/// async fn report(context: JobContext) -> String {
///     context.progress(1, 1);
///     format!("report of {}", context.scheduled_at().date_naive())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Of an annotated function: `&jobs![report][0]`.
/// let job = Job::builder("report").cron("0 8 * * 1").tz("Asia/Jakarta").run(report);
/// let context = testing::context(&job, "2026-11-30T01:00:00Z".parse()?);
/// assert_eq!(report(context).await, "report of 2026-11-30");
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn context(job: &Job, scheduled_at: DateTime<Utc>) -> JobContext {
    let settings = Arc::clone(job.settings());
    let execution_id = ExecutionId(1);
    JobContext::new(Inner {
        max_attempts: settings.retries.saturating_add(1),
        settings,
        execution_id,
        occurrence: OccurrenceKey::scheduled(scheduled_at),
        origin: Origin::Schedule,
        attempt: 1,
        scheduled_at,
        fence: FencingToken(1),
        instance: InstanceId::random(),
        triggered_by: None,
        trace_context: None,
        params: None,
        upstream_results: None,
        cancellation: CancellationToken::new(),
        token_taken: Arc::default(),
        namespace: None,
        state: Arc::new(StateMap::default()),
        reporter: Reporter::of_nobody(execution_id),
    })
}
