//! What a lock backend answers when it can't.

use std::error::Error;

/// A lock backend's error, by what the caller can do about it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The backend did not answer; whether the request was granted is not known. Trying again can help.
    #[error("the lock backend can't be reached to {operation}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The backend refused: trying the same again can't help.
    #[error("the lock backend refused to {operation}")]
    Rejected {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// As it prints, with its sources: a `main` that returns it prints this.
impl std::fmt::Debug for LockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::told::with_sources(self, f)
    }
}

impl LockError {
    /// Whether trying again can help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
