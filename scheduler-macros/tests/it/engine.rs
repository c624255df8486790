//! Annotated functions, run by an engine.

use std::{sync::Arc, time::Duration};

use scheduler::{
    Scheduler, TriggerRequest,
    execution::Execution,
    prelude::*,
    status::{Reason, Status},
    store::memory::MemoryStore,
};

#[scheduled_job(manual)]
async fn greet(
    context: JobContext,
    State(greeting): State<Arc<str>>,
    Params(name): Params<Option<String>>,
    Attempt(attempt): Attempt,
    at: ScheduledAt,
    token: CancellationToken,
) -> Result<Json<Vec<String>>, std::fmt::Error> {
    tokio::task::yield_now().await;
    let name = name.unwrap_or_else(|| context.job_id().to_string());
    let cancelled = token.is_cancelled();
    Ok(Json(vec![format!("{greeting}, {name}"), attempt.to_string(), at.timezone().to_string(), cancelled.to_string()]))
}

#[scheduled_job(manual, retries = 0)]
async fn fails() -> Result<(), String> {
    Err("no".to_owned())
}

#[scheduled_job(manual, retries = 0)]
async fn panics(Params(rows): Params<Option<u32>>) -> String {
    let rows = rows.expect("there are rows");
    rows.to_string()
}

/// Runs a job once, on an engine of its own.
async fn run(job: Job) -> Execution {
    let limit = Duration::from_secs(20);
    let id = job.settings().id.clone();
    let scheduler = Scheduler::builder(MemoryStore::new()).state(Arc::<str>::from("hello")).jobs([job]).build();
    let running = scheduler.expect("the job is whole").start().await.expect("the store is in memory");
    let request = TriggerRequest::new(id.clone()).with_params(serde_json::json!(null));
    let triggered = running.handle().trigger(request).await.expect("the request is taken");
    let ended = running.handle().wait(&id, &triggered.execution.occurrence, limit).await.expect("the store answers");
    running.shutdown(limit).await;
    ended.expect("the row is kept")
}

#[tokio::test]
async fn arguments_come_from_the_execution_and_the_result_is_kept() {
    let execution = run(<greet as ScheduledJob>::job()).await;
    assert_eq!(execution.status, Status::Succeeded, "{execution:?}");
    assert_eq!(execution.result_data, Some(serde_json::json!(["hello, greet", "1", "UTC", "false"])));
}

#[tokio::test]
async fn an_error_is_a_failed_execution() {
    let execution = run(<fails as ScheduledJob>::job()).await;
    assert_eq!((execution.status, execution.message.as_deref()), (Status::Failed, Some("no")), "{execution:?}");
}

#[tokio::test]
async fn a_panic_is_a_failed_execution() {
    let execution = run(<panics as ScheduledJob>::job()).await;
    assert_eq!((execution.status, execution.reason), (Status::Failed, Some(Reason::Panic)), "{execution:?}");
}

#[test]
fn state_that_a_job_takes_must_be_given() {
    let error = Scheduler::builder(MemoryStore::new()).jobs(jobs![greet]).build().expect_err("there is no state");
    assert!(error.to_string().contains("job `greet` takes `State<alloc::sync::Arc<str>>`"), "{error}");
}
