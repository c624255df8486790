//! The one span of an execution, named for people and for OpenTelemetry (`docs/telemetry.md`).

use std::{fmt, sync::Arc};

use tracing::{Span, field::Empty, info_span, warn};

use super::{Assignment, panic::catch};
use crate::{
    identity::{InstanceId, JobId},
    status::{Reason, Status},
    store::Finish,
    trace_context::TraceContext,
};

type Tell = dyn Fn(&Span, &TraceContext) + Send + Sync;

/// What tells a span of the trace that its execution's request belongs to; the service's own, who knows what takes spans.
#[derive(Clone)]
pub(crate) struct ContinueTrace(Arc<Tell>);

impl ContinueTrace {
    pub(crate) fn new(tell: impl Fn(&Span, &TraceContext) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for ContinueTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContinueTrace")
    }
}

/// The span in which the body of an execution runs.
pub(super) fn open(
    job_id: &JobId,
    assignment: &Assignment,
    instance: InstanceId,
    continue_trace: Option<&ContinueTrace>,
) -> Span {
    let Assignment { execution_id, occurrence, attempt, origin, scheduled_at, .. } = assignment;
    let span = info_span!(
        "job",
        %job_id,
        %occurrence,
        %execution_id,
        attempt,
        otel.name = %format_args!("job {job_id}"),
        otel.kind = "internal",
        otel.status_code = Empty,
        error.type = Empty,
        service.instance.id = %instance,
        scheduler.job.id = %job_id,
        scheduler.occurrence = %occurrence,
        scheduler.execution.id = execution_id.0,
        scheduler.attempt = attempt,
        scheduler.origin = origin.as_str(),
        scheduler.scheduled_at = %scheduled_at.to_rfc3339(),
        scheduler.status = Empty,
        scheduler.reason = Empty,
    );
    if let Some((ContinueTrace(tell), trace)) = continue_trace.zip(assignment.trace_context.as_ref())
        && let Err(panic) = catch(|| tell(&span, trace))
    {
        warn!(%job_id, %occurrence, panic = panic.message, "a trace is not continued; the execution goes on");
    }
    span
}

/// Notes the outcome, as it goes to the store.
pub(super) fn close(span: &Span, finish: &Finish) {
    span.record("scheduler.status", finish.status.as_str());
    if let Some(reason) = finish.reason {
        span.record("scheduler.reason", reason.as_str());
    }
    match finish.status {
        Status::Succeeded => span.record("otel.status_code", "OK"),
        // Somebody wanted it so.
        Status::Cancelled => span,
        status => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", finish.reason.map_or(status.as_str(), Reason::as_str))
        }
    };
}
