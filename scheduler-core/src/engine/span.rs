//! The one span of an execution, named for people and for OpenTelemetry (`docs/telemetry.md`).

use tracing::{Span, field::Empty, info_span};

use super::Assignment;
use crate::{
    identity::{InstanceId, JobId},
    status::{Reason, Status},
    store::Finish,
};

/// The span in which the body of an execution runs.
pub(super) fn open(job_id: &JobId, assignment: &Assignment, instance: InstanceId) -> Span {
    let Assignment { execution_id, occurrence, attempt, origin, scheduled_at, .. } = assignment;
    info_span!(
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
    )
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
