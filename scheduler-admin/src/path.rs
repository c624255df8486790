//! The paths, and what they name.

use axum::{
    extract::{FromRequestParts as _, Path, RawPathParams, rejection::PathRejection},
    http::request::Parts,
};
use scheduler_core::identity::{ExecutionId, JobId};

/// What all paths of the API begin with.
pub const PREFIX: &str = "/api/v1/scheduled-jobs";

/// Where an execution is read.
pub(crate) fn execution(id: ExecutionId) -> String {
    format!("{PREFIX}/executions/{id}")
}

/// A segment of the path, decoded; a rejection is one that is no UTF-8.
pub(crate) type Segment = Result<Path<String>, PathRejection>;

/// The execution id that a segment names.
pub(crate) fn execution_id(segment: Segment) -> Option<ExecutionId> {
    let Path(id) = segment.ok()?;
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok()).flatten().map(ExecutionId)
}

/// The job or the execution that the path of a request to an endpoint names.
pub(crate) async fn named(parts: &mut Parts) -> (Option<JobId>, Option<ExecutionId>) {
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else { return (None, None) };
    let value = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    let job_id = value("job_id").and_then(|id| JobId::parse(&id).ok());
    (job_id, value("id").and_then(|id| execution_id(Ok(Path(id)))))
}
