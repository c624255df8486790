//! The one place that reads time.

#[cfg(any(test, feature = "testing"))]
mod manual;
mod system;

use std::{fmt::Debug, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

#[cfg(any(test, feature = "testing"))]
pub use manual::ManualClock;
pub use system::SystemClock;

/// Where time comes from, for the engine and the memory backends.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some fixed point, which only grows and runs while the machine sleeps (CLOCK_BOOTTIME on Linux).
    fn uptime(&self) -> Duration;

    /// Ends once this much time has gone by.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
