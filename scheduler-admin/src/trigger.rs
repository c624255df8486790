//! Running a job on request.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use scheduler_core::{SchedulerHandle, TraceContext, TriggerRequest, execution::Execution, store::Actor};
use tracing::warn;

use crate::{
    api::Api,
    caller::Caller,
    error::{ApiError, chain},
    execution::RequestedView,
    path::Segment,
    query::Query,
};

/// The header under which a repetition is known.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How long a request may wait for the occurrence's end, in seconds.
const WAIT: std::ops::RangeInclusive<u64> = 1..=60;

/// `POST /{job_id}/trigger`
pub(crate) async fn trigger(
    State(api): State<Api>,
    mut caller: Caller,
    job_id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller.definition(job_id).await?.settings().id.clone();
    let wait = Query::of(request.uri())?.duration("wait", WAIT)?;
    // Asked before anything is requested: who may not wait has not run anything either.
    let wait = wait.map(|limit| api.limits.wait().map(|slot| (limit, slot))).transpose()?;
    let key = idempotency_key(request.headers())?;
    let trace = trace_context(request.headers());
    let mut fields = caller.body(request).await?;

    let Actor { who, reason, address } = caller.actor(fields.reason()?);
    let mut wanted = TriggerRequest::new(id).by(who);
    if let Some(address) = address {
        wanted = wanted.from(address);
    }
    if let Some(key) = key {
        wanted = wanted.with_idempotency_key(key);
    }
    if let Some(trace) = trace {
        wanted = wanted.in_trace(trace);
    }
    if let Some(params) = fields.take("params") {
        wanted = wanted.with_params(params);
    }
    if let Some(reason) = reason {
        wanted = wanted.with_reason(reason);
    }
    let triggered = api.handle.trigger(wanted).await?;
    let mut execution = triggered.execution;
    let mut done = triggered.repeated;
    if let Some((limit, slot)) = wait {
        caller.goes_to(slot);
        execution = wait_for_end(&api, execution, limit).await;
        done = execution.status.is_final();
    }
    Ok(answer(&api.handle, execution, done))
}

/// The occurrence's newest attempt, once it has ended or time is up.
///
/// The run is requested: a store that goes away now must not make the caller believe it is not, and ask again.
async fn wait_for_end(api: &Api, execution: Execution, limit: Duration) -> Execution {
    let newest = |limit| api.handle.wait(&execution.job_id, &execution.occurrence, limit);
    let waited = tokio::select! {
        biased;
        waited = newest(limit) => waited,
        // As where time is up: whoever asked is answered before the server ends.
        () = api.ends() => newest(Duration::ZERO).await,
    };
    match waited {
        Ok(newest) => newest.unwrap_or(execution),
        Err(error) => {
            let (execution_id, error) = (execution.id, chain(&error));
            warn!(%execution_id, error, "the end of a requested run can't be awaited; the run itself goes on");
            execution
        }
    }
}

fn answer(handle: &SchedulerHandle, execution: Execution, done: bool) -> Response {
    let (status, message) = match (done, execution.status.is_final()) {
        (true, true) => (StatusCode::OK, format!("the run of `{}` has ended", execution.job_id)),
        (true, false) => (StatusCode::OK, format!("the run of `{}` was requested before", execution.job_id)),
        (false, _) => (StatusCode::ACCEPTED, format!("a run of `{}` is requested", execution.job_id)),
    };
    RequestedView::of(handle, execution).answer(status, message)
}

/// The trace that the caller is in. What is malformed, or given twice, is as if it had not been given: so W3C has it.
fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let trace = TraceContext::parse(parents.next()?.to_str().ok()?).filter(|_| parents.next().is_none())?;
    let states: Result<Vec<_>, _> = headers.get_all("tracestate").iter().map(|value| value.to_str()).collect();
    Some(trace.with_tracestate(&states.unwrap_or_default().join(",")))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::parameter("Idempotency-Key", "is given more than once"));
    }
    // Whether a text is a key is for the scheduler to say; what is no text at all never gets there.
    let text = first.to_str().map_err(|_| ApiError::parameter("Idempotency-Key", "has characters beyond ASCII"))?;
    Ok(Some(text.to_owned()))
}
