//! What a store answers when it can't.

use std::error::Error;

/// A store's error, by what the caller can do about it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store did not answer, and nothing was written: trying again can help.
    #[error("the store can't be reached to {operation}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer was lost: the write may have happened. Look it up, or repeat it where it can be repeated.
    #[error("the store's answer to {operation} was lost")]
    Unknown {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store refused: trying the same again can't help.
    #[error("the store refused to {operation}")]
    Rejected {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// As it prints, with its sources: a `main` that returns it prints this.
impl std::fmt::Debug for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::told::with_sources(self, f)
    }
}

impl StoreError {
    /// Whether trying again can help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::Rejected { .. })
    }

    /// Whether the write may have happened all the same.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}
