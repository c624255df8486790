//! Who may do what.

use std::fmt;

use async_trait::async_trait;
use scheduler_core::identity::JobId;

use crate::{AuthError, Principal};

/// Decides whether a caller may do something, with which jobs. [`Roles`](crate::Roles) is one.
#[async_trait]
pub trait Authorizer: Send + Sync + 'static {
    /// Whether the caller may do what `permission` says.
    ///
    /// A job that a caller may not read does not exist for them: it is left out of lists, and answered 404.
    ///
    /// # Errors
    /// See [`AuthError`]; an unknown role is [`AuthError::Forbidden`].
    async fn allows(&self, principal: &Principal, permission: Permission, on: On<'_>) -> Result<bool, AuthError>;
}

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum On<'a> {
    /// Some job at all: asked before anything is looked at.
    Any,
    /// Every job, also those that this instance does not know, and what is of no job.
    All,
    /// One job.
    Job {
        /// Its id.
        id: &'a JobId,
        /// Its tags; none where this instance does not have the job.
        tags: &'a [String],
    },
}

/// What a caller may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// To see jobs, executions, events, and who did what.
    Read,
    /// To run, retry and cancel.
    Execute,
    /// To change how jobs run: pause, resume, skip, backfill.
    Manage,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 3] = [Self::Read, Self::Execute, Self::Manage];

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
