//! How much is done at once: what is beyond it is turned away, and takes nothing from the jobs.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// How many requests are served at once unless told: several times as many as the store has connections for them.
const REQUESTS: usize = 64;
/// How many wait for an execution's end, or listen to events; each costs memory alone.
const LASTING: usize = 256;

/// The places of requests under way; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    requests: Arc<Semaphore>,
    waits: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// A place among the requests under way, free again once it is dropped.
#[derive(Debug)]
pub(crate) struct Slot(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Limits {
    pub(crate) fn of_requests(requests: usize) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { requests: places(requests), waits: places(LASTING), streams: places(LASTING) }
    }

    /// Of a request that is answered as soon as the store has.
    pub(crate) fn request(&self) -> Result<Slot, ApiError> {
        take(&self.requests)
    }

    /// Of one that waits for an execution's end.
    pub(crate) fn wait(&self) -> Result<Slot, ApiError> {
        take(&self.waits)
    }

    /// Of one that listens.
    pub(crate) fn stream(&self) -> Result<Slot, ApiError> {
        take(&self.streams)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of_requests(REQUESTS)
    }
}

fn take(places: &Arc<Semaphore>) -> Result<Slot, ApiError> {
    Arc::clone(places).try_acquire_owned().map(Slot).map_err(|_| ApiError::rate_limited())
}
