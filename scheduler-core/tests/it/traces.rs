//! The trace that a request belongs to.

use std::sync::{Arc, Mutex};

use scheduler_core::{
    TraceContext, TriggerRequest,
    context::JobContext,
    job::Job,
    outcome::{JobError, Outcome},
    status::Status,
    testing::ManualScheduler,
};

use crate::rig::{MINUTE, id, start};

type Seen = Arc<Mutex<Vec<String>>>;

fn note(seen: &Seen, what: &str, trace: Option<&TraceContext>) {
    seen.lock()
        .expect("no test panics with it")
        .push(format!("{what} {}", trace.map_or("none", TraceContext::parent_id)));
}

/// A job that fails at its first attempt, and notes the trace that each attempt is in.
fn job(seen: &Seen) -> Job {
    let seen = Arc::clone(seen);
    Job::builder("job").manual().retries(1).retry_delay(MINUTE).run(move |context: JobContext| {
        note(&seen, "body", context.trace_context());
        async move {
            if context.attempt() == 1 {
                Err(JobError::from(std::io::Error::other("not yet")))
            } else {
                Ok(Outcome::succeeded(""))
            }
        }
    })
}

fn request() -> TriggerRequest {
    let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("well-formed");
    TriggerRequest::new(id("job")).in_trace(trace)
}

/// A scheduler that notes which traces its spans are told of, and its bodies see.
async fn noting(seen: &Seen) -> ManualScheduler {
    let told = Arc::clone(seen);
    let scheduler = ManualScheduler::start(start(), |parts| {
        parts.jobs([job(seen)]).continue_traces(move |_span, trace| note(&told, "span", Some(trace)))
    });
    scheduler.await.expect("parts that fit")
}

#[tokio::test]
async fn each_attempt_at_a_request_continues_its_trace_before_its_body_runs() {
    let seen = Seen::default();
    let mut scheduler = noting(&seen).await;
    scheduler.trigger(request()).await.expect("accepted");
    scheduler.advance(MINUTE).await;
    let attempt = ["span 00f067aa0ba902b7", "body 00f067aa0ba902b7"];
    assert_eq!(*seen.lock().expect("no test panics with it"), [attempt, attempt].concat());
}

#[tokio::test]
async fn a_request_in_no_trace_continues_none() {
    let seen = Seen::default();
    let mut scheduler = noting(&seen).await;
    scheduler.trigger(TriggerRequest::new(id("job"))).await.expect("accepted");
    assert_eq!(*seen.lock().expect("no test panics with it"), ["body none"]);
}

#[tokio::test]
async fn a_panic_of_what_continues_traces_keeps_no_execution_from_running() {
    let seen = Seen::default();
    let mut scheduler = ManualScheduler::start(start(), |parts| {
        parts.jobs([job(&seen)]).continue_traces(|_span, _trace| panic!("no layer is there"))
    })
    .await
    .expect("parts that fit");
    scheduler.trigger(request()).await.expect("accepted");
    scheduler.advance(MINUTE).await;
    let statuses: Vec<_> = scheduler.executions("job").await.iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Status::Failed, Status::Succeeded]);
}
