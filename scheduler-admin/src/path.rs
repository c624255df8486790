//! The paths, and what they name.

use axum::extract::{Path, rejection::PathRejection};
use scheduler_core::{
    SchedulerHandle,
    identity::{ExecutionId, JobId},
    job::Job,
};

use crate::error::ApiError;

/// What all paths of the API begin with.
pub const PREFIX: &str = "/api/v1/scheduled-jobs";

/// Where an execution is read.
pub(crate) fn execution(id: ExecutionId) -> String {
    format!("{PREFIX}/executions/{id}")
}

/// A segment of the path, decoded; a rejection is one that is no UTF-8.
pub(crate) type Segment = Result<Path<String>, PathRejection>;

/// The job of this instance that the segment names. What can't be a job's id is a job that does not exist.
pub(crate) fn find_job(handle: &SchedulerHandle, segment: Segment) -> Result<&Job, ApiError> {
    let id = segment.ok().and_then(|Path(id)| JobId::parse(&id).ok());
    id.and_then(|id| handle.definition(&id)).ok_or_else(ApiError::no_such_job)
}

/// The execution id that the segment names.
pub(crate) fn find_execution_id(segment: Segment) -> Result<ExecutionId, ApiError> {
    let digits = segment.ok().map(|Path(id)| id).filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|id| id.parse().ok()).map(ExecutionId).ok_or_else(ApiError::no_such_execution)
}
