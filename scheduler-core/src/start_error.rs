//! Why a scheduler did not start.

use std::time::Duration;

use crate::{lock::LockError, store::StoreError};

/// Why a scheduler did not start; at start both backends must answer.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store answered with an error.
    #[error("the scheduler can't start with its store")]
    Store(#[source] StoreError),
    /// The store did not answer.
    #[error("the scheduler can't start: its store did not answer within {0:?}")]
    StoreSilent(Duration),
    /// The lock backend answered with an error.
    #[error("the scheduler can't start with its lock backend")]
    Locks(#[source] LockError),
    /// The lock backend did not answer.
    #[error("the scheduler can't start: its lock backend did not answer within {0:?}")]
    LocksSilent(Duration),
    /// The scheduler's thread could not be made.
    #[error("the scheduler's thread can't start")]
    Thread(#[source] std::io::Error),
}

/// As it prints, with its sources: a `main` that returns it prints this.
impl std::fmt::Debug for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::told::with_sources(self, f)
    }
}
