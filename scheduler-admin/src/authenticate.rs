//! Who calls.

use async_trait::async_trait;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};

/// Says who calls.
///
/// It is asked before everything else: whom it does not know learns nothing of jobs, parameters or paths.
///
/// ```
/// use axum::http::request::Parts;
/// use scheduler_admin::{AuthError, Authenticator, Principal, async_trait};
///
/// /// One token, of somebody who reads.
/// #[derive(Debug)]
/// struct ReadToken(String);
///
/// #[async_trait]
/// impl Authenticator for ReadToken {
///     async fn authenticate(&self, request: &Parts) -> Result<Principal, AuthError> {
///         let given = request.headers.get("authorization").and_then(|value| value.to_str().ok());
///         match given.and_then(|value| value.strip_prefix("Bearer ")) {
///             Some(token) if token == self.0 => Ok(Principal::new("reader", "readers")),
///             _ => Err(AuthError::Unauthenticated),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// The caller of this request. The URI is the one that the client sent.
    ///
    /// # Errors
    /// See [`AuthError`]; its text never leaves the service, so an implementation logs what else it knows.
    async fn authenticate(&self, request: &Parts) -> Result<Principal, AuthError>;
}

/// A caller who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// What `triggered_by` and the audit record.
    pub name: String,
    /// What decides what the caller may do.
    pub role: String,
    /// From which address, as far as the service trusts what it was told; `None` takes the connection's.
    pub address: Option<String>,
    /// When it is no longer known, such as a token's end.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Principal {
    /// A caller of this name and role.
    pub fn new(name: impl Into<String>, role: impl Into<String>) -> Self {
        Self { name: name.into(), role: role.into(), address: None, expires_at: None }
    }

    /// Says from which address, such as one that a trusted proxy gave.
    #[must_use]
    pub fn from(self, address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..self }
    }

    /// Says until when the caller is known.
    #[must_use]
    pub fn until(self, at: DateTime<Utc>) -> Self {
        Self { expires_at: Some(at), ..self }
    }
}

/// Why a request may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody knows who calls: no token, or one that is wrong or expired. Answered 401.
    #[error("the caller is not known")]
    Unauthenticated,
    /// The caller may not call at all. Answered 403, and of an authenticator nobody can tell the audit who it was: whom it knows
    /// it had better answer, with a role that may do nothing.
    #[error("the caller is not allowed")]
    Forbidden,
    /// What knows the callers did not answer. Answered 503.
    #[error("the caller can't be checked now")]
    Unavailable,
}
