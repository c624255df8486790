//! What is answered when a request can't be served.

use std::error::Error;

use axum::{
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use scheduler_core::{
    OperatorError, SchedulerHandle, TriggerError, identity::ExecutionId, status::Status, store::StoreError,
};
use serde_json::{Value, json};
use tracing::{error, warn};
use uuid::Uuid;

use crate::{AuthError, Permission, envelope::Envelope, path, pause::PauseView};

/// The stable word of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    InvalidParameter,
    InvalidBody,
    BodyTooLarge,
    UnsupportedMediaType,
    AlreadyRunning,
    IdempotencyConflict,
    AlreadyPaused,
    NotPaused,
    AlreadyEnded,
    NotRetryable,
    AlreadyDecided,
    RateLimited,
    Unavailable,
    Internal,
}

impl Code {
    /// All codes.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::AlreadyRunning,
        Self::IdempotencyConflict,
        Self::AlreadyPaused,
        Self::NotPaused,
        Self::AlreadyEnded,
        Self::NotRetryable,
        Self::AlreadyDecided,
        Self::RateLimited,
        Self::Unavailable,
        Self::Internal,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::InvalidParameter => "invalid_parameter",
            Self::InvalidBody => "invalid_body",
            Self::BodyTooLarge => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::AlreadyRunning => "already_running",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::AlreadyPaused => "already_paused",
            Self::NotPaused => "not_paused",
            Self::AlreadyEnded => "already_ended",
            Self::NotRetryable => "not_retryable",
            Self::AlreadyDecided => "already_decided",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// An error on its way out: nothing in it comes from a store, a lock backend or a panic.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: Code,
    message: String,
    data: Value,
    header: Option<(&'static str, &'static str)>,
}

impl ApiError {
    fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), data: Value::Null, header: None }
    }

    /// What people are told.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the caller was refused something that they asked for, and not only not answered.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.code, Code::Forbidden | Code::NotFound)
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }

    pub(crate) fn no_such_job() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "there is no such job")
    }

    pub(crate) fn no_such_execution() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "there is no such execution")
    }

    pub(crate) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "there is nothing at this path")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, "this path does not take this method")
    }

    pub(crate) fn forbidden(permission: Permission) -> Self {
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, format!("this needs the permission `{permission}`"))
    }

    /// Whether it is that something does not answer, such as the store.
    #[cfg(feature = "dashboard")]
    pub(crate) fn is_unavailable(&self) -> bool {
        self.code == Code::Unavailable
    }

    #[cfg(feature = "dashboard")]
    pub(crate) fn of_another_site() -> Self {
        let message = "the form is not of this session, or was sent from another site: open the page again";
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    pub(crate) fn refused(error: AuthError, permission: Permission) -> Self {
        match error {
            AuthError::Unauthenticated => Self {
                header: Some(("www-authenticate", "Bearer")),
                ..Self::new(StatusCode::UNAUTHORIZED, Code::Unauthenticated, "a valid bearer token is needed")
            },
            AuthError::Forbidden => Self::forbidden(permission),
            AuthError::Unavailable => Self::unavailable("who calls can't be checked now; try again"),
        }
    }

    /// A parameter of the query or a header.
    pub(crate) fn parameter(name: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidParameter, format!("`{name}` {problem}"))
            .with_data(json!({ "parameter": name }))
    }

    /// A body that is not JSON.
    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidBody, format!("the body is not JSON: {error}"))
    }

    /// A body that did not arrive whole, or not in time.
    pub(crate) fn broken_body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidBody, "the body did not arrive whole")
    }

    /// A body that is JSON and not what is asked for.
    pub(crate) fn body(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidBody, problem)
    }

    /// A field of a body that is JSON.
    pub(crate) fn field(name: &str, problem: impl std::fmt::Display) -> Self {
        Self::body(format!("`{name}` {problem}")).with_data(json!({ "field": name }))
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        let message = format!("the body has more than {} KiB", limit / 1024);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, message)
    }

    pub(crate) fn not_json_type() -> Self {
        let message = "a body needs `Content-Type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, message)
    }

    pub(crate) fn rate_limited() -> Self {
        Self {
            header: Some(("retry-after", "1")),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, "too much is asked at once; try again")
        }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            // What is away is usually back, or replaced, within the second that the engine's own retries wait at most.
            header: Some(("retry-after", "1")),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
        }
    }

    /// What nobody outside can mend: an opaque id goes out, the cause to the log under that id.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        let error_id = Uuid::new_v4();
        error!(%error_id, error = %cause, "a request failed; it was answered 500 with this id");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            format!("something failed here; the log has it under {error_id}"),
        )
        .with_data(json!({ "error_id": error_id }))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let cause = chain(&error);
        if error.is_retryable() {
            warn!(error = cause, "the store is away; a request was answered 503");
            Self::unavailable("the store does not answer; try again")
        } else {
            Self::internal(&cause)
        }
    }
}

impl From<TriggerError> for ApiError {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::UnknownJob(_) => Self::no_such_job(),
            TriggerError::Params(problem) => Self::field("params", format_args!("does not fit: {problem}")),
            TriggerError::IdempotencyKey => Self::parameter("Idempotency-Key", "has 1 to 200 visible ASCII characters"),
            TriggerError::IdempotencyConflict => {
                let message = "another request was made under this idempotency key";
                Self::new(StatusCode::CONFLICT, Code::IdempotencyConflict, message)
            }
            TriggerError::AlreadyRunning { execution_id } => {
                let message = "the job runs, or waits for its next attempt";
                Self::new(StatusCode::CONFLICT, Code::AlreadyRunning, message).with_data(match execution_id {
                    Some(id) => json!({ "execution_id": id, "url": path::execution(id) }),
                    None => Value::Null,
                })
            }
            TriggerError::Stopped => Self::unavailable("this instance has stopped; ask another"),
            TriggerError::Store(error) if error.is_unknown() => {
                warn!(error = chain(&error), "the store's answer to a trigger was lost; it was answered 503");
                Self::unavailable(
                    "the store's answer was lost, and the run may have been requested; only a request with an \
                     `Idempotency-Key` can be repeated without running twice",
                )
            }
            TriggerError::Store(error) => error.into(),
            // The enum may grow.
            other => Self::internal(&chain(&other)),
        }
    }
}

impl ApiError {
    /// What an operator asked for and did not get.
    pub(crate) fn of(handle: &SchedulerHandle, error: OperatorError) -> Self {
        let conflict = |code, message: String| Self::new(StatusCode::CONFLICT, code, message);
        let row = |id: ExecutionId, status: Status| json!({ "execution_id": id, "status": status, "url": path::execution(id) });
        // The errors' own texts name ids, statuses and instants, and nothing of a backend's.
        let message = error.to_string();
        match error {
            OperatorError::UnknownJob(_) => Self::no_such_job(),
            OperatorError::UnknownExecution(_) => Self::no_such_execution(),
            OperatorError::HasEnded { execution_id, status } => {
                conflict(Code::AlreadyEnded, message).with_data(row(execution_id, status))
            }
            OperatorError::NotRetryable { execution_id, status, next } => {
                conflict(Code::NotRetryable, message).with_data(row(next.unwrap_or(execution_id), status))
            }
            OperatorError::AlreadyPaused(state) => {
                conflict(Code::AlreadyPaused, message).with_data(json!({ "pause": PauseView::of(handle, &state) }))
            }
            OperatorError::NotPaused(_) => conflict(Code::NotPaused, message),
            OperatorError::AlreadyDecided(execution) => {
                conflict(Code::AlreadyDecided, message).with_data(row(execution.id, execution.status))
            }
            OperatorError::UntilPassed(_) => Self::field("until", "would be over already"),
            OperatorError::NotAnOccurrence { .. } => {
                Self::field("scheduled_at", "is no instant that the job is due at")
            }
            OperatorError::NotToCome(_) => Self::field("scheduled_at", "is not to come any more"),
            OperatorError::TooMany => Self::field("to", format_args!("is too far: {message}")),
            OperatorError::Locks(error) => {
                warn!(error = chain(&error), "the lock backend is away; a request was answered 503");
                Self::unavailable("the lock backend does not answer; try again")
            }
            OperatorError::Store(error) if error.is_unknown() => {
                warn!(error = chain(&error), "the store's answer to a request was lost; it was answered 503");
                Self::unavailable("the store's answer was lost, and it may have been done; look before you repeat it")
            }
            OperatorError::Store(error) => error.into(),
            // Another version's trigger, and what the enum may come to have.
            other => Self::internal(&chain(&other)),
        }
    }
}

/// What went wrong, for those who show it as a page.
#[cfg(feature = "dashboard")]
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[cfg(feature = "dashboard")]
        let failed = Failed { code: self.code.as_str(), message: self.message.clone() };
        let mut response = Envelope::error(self.code, self.message, self.data).into_response(self.status);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        #[cfg(feature = "dashboard")]
        response.extensions_mut().insert(failed);
        response
    }
}

/// An error and its sources on one line, for the log.
pub(crate) fn chain(error: &dyn Error) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}
