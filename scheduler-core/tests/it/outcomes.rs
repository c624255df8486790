//! How runs end, and what follows.

use std::time::Duration;

use scheduler_core::{
    Cancelled, OperatorError, TriggerRequest,
    context::JobContext,
    extract::Attempt,
    job::Job,
    outcome::{JobError, JobResult, Outcome},
    status::{Reason, Status},
    store::Actor,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::rig::{MINUTE, Rig, SECOND, ended, id, rows, soon, start, told, words};

/// R1: an occurrence is claimed at its instant.
#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_runs_at_its_instant_and_not_before() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = Job::builder("job").cron("1 0 * * *").run(move |context: JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            Ok::<_, JobError>(Outcome::succeeded("done").with_data(json!({"rows": 7})))
        }
    });
    let scheduler = rig.run([job]).await;
    rig.pass(MINUTE - Duration::from_millis(1)).await;
    assert_eq!(starts.so_far(), [], "a millisecond early");
    rig.clock.advance(Duration::from_millis(1));
    let occurrence = starts.next().await;
    let row = soon(scheduler.handle().wait(&id("job"), &occurrence, MINUTE)).await.expect("read").expect("a row");
    assert_eq!(row.status, Status::Succeeded);
    assert_eq!(row.scheduled_at, start() + MINUTE);
    assert_eq!(row.started_at, Some(start() + MINUTE));
    assert_eq!((row.message.as_deref(), row.result_data), (Some("done"), Some(json!({"rows": 7}))));
    assert_eq!(row.instance, Some(scheduler.handle().instance()));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_followed_by_another_after_its_delay() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().retries(2).retry_delay(10 * SECOND).run(|attempt: Attempt| async move {
        if attempt.0 < 3 { Err(JobError::new("not yet")) } else { Ok(Outcome::succeeded("at last")) }
    });
    let scheduler = rig.run([job]).await;
    soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted");
    let found = rig.rows(scheduler.handle(), "job", 3).await;
    assert_eq!(words(&found), ["failed #1", "failed #2", "succeeded #3"]);
    for pair in found.windows(2) {
        let waited = pair[1].started_at.expect("it ran") - pair[0].finished_at.expect("it ended");
        assert!(waited >= chrono::TimeDelta::seconds(10), "{waited}");
        assert_eq!(pair[0].occurrence, pair[1].occurrence);
    }
    assert_eq!(found[0].message.as_deref(), Some("not yet"));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_error_is_not_retried() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().run(|| async { JobResult::<()>::Err(JobError::permanent("no such thing")) });
    let scheduler = rig.run([job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    assert_eq!(ended(scheduler.handle(), &row).await.status, Status::Failed);
    rig.pass(10 * MINUTE).await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["failed #1"]);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_attempt_with_its_message_and_backtrace() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().retries(0).run(|| async {
        if true {
            panic!("the printer broke");
        }
    });
    let scheduler = rig.run([job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    let row = ended(scheduler.handle(), &row).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::Panic)));
    assert_eq!(row.message.as_deref(), Some("panicked: the printer broke"));
    assert!(row.error_trace.expect("a trace").contains("a_panic_is_a_failed_attempt"), "the backtrace names the body");
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_answers_skipped_has_succeeded_with_nothing_to_do() {
    let rig = Rig::new();
    let job = Job::builder("job").manual().run(|| async { Outcome::skipped("a holiday") });
    let scheduler = rig.run([job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    let row = ended(scheduler.handle(), &row).await;
    assert_eq!((row.status, row.reason), (Status::Succeeded, Some(Reason::NothingToDo)));
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_fires_the_token_and_the_row_says_timed_out() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = Job::builder("job").manual().retries(0).timeout(10 * SECOND).run(
        move |context: JobContext, stop: CancellationToken| {
            let tell = tell.clone();
            async move {
                tell.send(context.occurrence().clone()).expect("the test listens");
                stop.cancelled().await;
                "cleaned up"
            }
        },
    );
    let scheduler = rig.run([job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    starts.next().await;
    rig.pass(9 * SECOND).await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["running #1"], "a second before");
    rig.pass(2 * SECOND).await;
    assert_eq!(ended(scheduler.handle(), &row).await.status, Status::TimedOut);
    rig.stop(scheduler).await;
}

/// R18: after the grace time it is dropped at its next await.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ignores_its_token_is_dropped_after_the_grace_time() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = Job::builder("job").manual().retries(0).timeout(10 * SECOND).run(move |context: JobContext| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            std::future::pending::<()>().await;
        }
    });
    let scheduler = rig.run([job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    starts.next().await;
    rig.pass(12 * SECOND).await;
    assert_eq!(words(&rows(scheduler.handle(), "job").await), ["running #1"], "its grace time is not over");
    rig.pass(4 * SECOND).await;
    let row = ended(scheduler.handle(), &row).await;
    assert_eq!(row.status, Status::TimedOut);
    rig.stop(scheduler).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_cancel_reaches_the_body_and_earns_no_attempt() {
    let rig = Rig::new();
    let (tell, mut starts) = told();
    let job = Job::builder("job").manual().run(move |context: JobContext, stop: CancellationToken| {
        let tell = tell.clone();
        async move {
            tell.send(context.occurrence().clone()).expect("the test listens");
            stop.cancelled().await;
            JobResult::<()>::Err(JobError::new("stopped half-way"))
        }
    });
    let scheduler = rig.run([job]).await;
    let row = soon(scheduler.handle().trigger(TriggerRequest::new(id("job")))).await.expect("accepted").execution;
    starts.next().await;
    let ayu = Actor::new("ayu");
    assert_eq!(scheduler.handle().cancel(row.id, &ayu).await.expect("written"), Cancelled::Asked);
    rig.pass(6 * SECOND).await;
    let row = ended(scheduler.handle(), &row).await;
    assert_eq!((row.status, row.reason), (Status::Cancelled, Some(Reason::ByRequest)));
    let error = scheduler.handle().cancel(row.id, &ayu).await.expect_err("what has ended can't be stopped");
    assert!(matches!(error, OperatorError::HasEnded { status: Status::Cancelled, .. }), "{error}");
    rig.clock.settle().await;
    assert_eq!(rows(scheduler.handle(), "job").await.len(), 1);
    rig.stop(scheduler).await;
}
