//! Runs on request (R19).

use scheduler_core::{
    TriggerError, TriggerRequest,
    extract::Params,
    job::{Job, OverlapPolicy},
    occurrence::Origin,
    status::Status,
};
use serde_json::json;

use crate::rig::{MINUTE, Rig, SECOND, Starts, ended, endless, id, rows, soon, words};

/// A job of each minute that runs until it is told to stop.
fn endless_under(policy: OverlapPolicy) -> (Job, Starts) {
    endless(Job::builder("job").cron("* * * * *").overlap(policy))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_runs_with_its_parameters_even_when_the_schedule_is_off() {
    let rig = Rig::new();
    let job = Job::builder("job")
        .cron("0 0 1 1 *")
        .enabled(false)
        .run(|Params(days): Params<u32>| async move { format!("{days} days") });
    let scheduler = rig.run([job]).await;
    let request = TriggerRequest::new(id("job")).with_params(json!(3)).by("ayu");
    let triggered = soon(scheduler.handle().trigger(request)).await.expect("accepted");
    assert!(!triggered.repeated);
    assert_eq!((triggered.execution.origin, triggered.execution.status), (Origin::Manual, Status::Pending));
    let row = ended(scheduler.handle(), &triggered.execution).await;
    assert_eq!((row.message.as_deref(), row.triggered_by.as_deref()), (Some("3 days"), Some("ayu")));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_do_not_fit_are_refused_before_a_row_is_written() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().run(|_: Params<u32>| async {});
    let scheduler = rig.run([job]).await;
    let request = TriggerRequest::new(id("job")).with_params(json!("three"));
    let error = soon(scheduler.handle().trigger(request)).await.expect_err("a text is no number");
    assert!(matches!(&error, TriggerError::Params(problem) if problem.contains("invalid type: string")), "{error}");
    let unknown = soon(scheduler.handle().trigger(TriggerRequest::new(id("other")))).await.expect_err("no such job");
    assert!(matches!(unknown, TriggerError::UnknownJob(_)));
    assert_eq!(rows(scheduler.handle(), "job").await, []);
    rig.stop(scheduler).await;
}

/// R19: then overlap.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_while_the_job_runs_is_refused_and_names_the_holder() {
    let rig = Rig::new();
    let (job, mut starts) = endless_under(OverlapPolicy::Skip);
    let scheduler = rig.run([job]).await;
    let first = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    starts.next().await;
    let error = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect_err("it runs");
    assert!(
        matches!(error, TriggerError::AlreadyRunning { execution_id } if execution_id == Some(first.id)),
        "{error}"
    );
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_occurrence_is_skipped_while_a_manual_run_holds_the_key() {
    let rig = Rig::new();
    let (job, mut starts) = endless_under(OverlapPolicy::Skip);
    let scheduler = rig.run([job]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    starts.next().await;
    let found = rig.rows(scheduler.handle(), "job", 1).await;
    assert_eq!(words(&found), ["running #1", "skipped (overlap) #1"]);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_allow_runs_stand_side_by_side() {
    let rig = Rig::new();
    let (job, mut starts) = endless_under(OverlapPolicy::Allow);
    let scheduler = rig.run([job]).await;
    for _ in 0..3 {
        soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
        rig.pass(SECOND * 2).await;
        starts.next().await;
    }
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["running #1"; 3]);
    rig.stop(scheduler).await;
}

/// R19: the idempotency key is asked first.
#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_answers_the_same_execution_and_refuses_another_body() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().run(|_: Params<Option<u32>>| async {});
    let scheduler = rig.run([job]).await;
    let request = TriggerRequest::new(id("job")).with_params(json!(1)).with_idempotency_key("monday");
    let first = soon(scheduler.handle().trigger(request.clone())).await.expect("accepted");
    ended(scheduler.handle(), &first.execution).await;
    let again = soon(scheduler.handle().trigger(request.clone())).await.expect("known");
    assert!(again.repeated);
    assert_eq!(again.execution.id, first.execution.id);
    let other = soon(scheduler.handle().trigger(request.with_params(json!(2)))).await.expect_err("another body");
    assert!(matches!(other, TriggerError::IdempotencyConflict));
    rig.pass(MINUTE).await;
    assert_eq!(rows(scheduler.handle(), "job").await.len(), 1);
    rig.stop(scheduler).await;
}
