//! What a lock backend answers when it can't.

use std::error::Error;

/// A lock backend's error, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
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

impl LockError {
    /// Whether trying again can help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
