//! Who may do what.

use std::fmt;

use async_trait::async_trait;
use axum::http::request::Parts;

/// Decides who calls, and whether the caller may.
///
/// It is asked before everything else: what it refuses learns nothing of jobs, parameters or paths.
///
/// ```
/// use axum::http::request::Parts;
/// use scheduler_admin::{Actor, AuthError, Authorizer, Permission, async_trait};
///
/// /// One token, which reads.
/// #[derive(Debug)]
/// struct ReadToken(String);
///
/// #[async_trait]
/// impl Authorizer for ReadToken {
///     async fn authorize(&self, request: &Parts, permission: Permission) -> Result<Actor, AuthError> {
///         let given = request.headers.get("authorization").and_then(|value| value.to_str().ok());
///         if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(self.0.as_str()) {
///             return Err(AuthError::Unauthenticated);
///         }
///         match permission {
///             Permission::Read => Ok(Actor::new("reader")),
///             _ => Err(AuthError::Forbidden),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Authorizer: Send + Sync + 'static {
    /// The caller of this request, if allowed what `permission` says. The URI is the one that the client sent.
    ///
    /// # Errors
    /// See [`AuthError`]; its text never leaves the service, so an implementation logs what else it knows.
    async fn authorize(&self, request: &Parts, permission: Permission) -> Result<Actor, AuthError>;
}

/// What a caller may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// To see jobs and executions.
    Read,
    /// To run jobs.
    Execute,
    /// To change how jobs run.
    Manage,
}

impl Permission {
    /// The name that tokens and roles know it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "scheduled_job.read",
            Self::Execute => "scheduled_job.execute",
            Self::Manage => "scheduled_job.manage",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A caller who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// What `triggered_by` records.
    pub name: String,
}

impl Actor {
    /// A caller of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// Why a request may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody knows who calls: no token, or one that is wrong or expired. Answered 401.
    #[error("the caller is not known")]
    Unauthenticated,
    /// The caller is known and not allowed, or has an unknown role. Answered 403.
    #[error("the caller is not allowed")]
    Forbidden,
    /// What knows the callers did not answer. Answered 503.
    #[error("the caller can't be checked now")]
    Unavailable,
}
