//! Leaves a lock backend that does not answer alone for a while (R10).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How long a backend that failed is left alone: a second of trips to the store alone, against 50 ms of waiting each.
const REST: Duration = Duration::from_secs(1);

/// A circuit breaker on the uptime clock.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// The uptime in milliseconds until which it is open; 0 when closed.
    open_until: AtomicU64,
}

impl Breaker {
    /// Whether the backend may be asked.
    pub(crate) fn allows(&self, uptime: Duration) -> bool {
        millis(uptime) >= self.open_until.load(Ordering::Relaxed)
    }

    pub(crate) fn succeeded(&self) {
        self.open_until.store(0, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, uptime: Duration) {
        self.open_until.store(millis(uptime + REST), Ordering::Relaxed);
    }
}

fn millis(uptime: Duration) -> u64 {
    u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_rests_the_backend_for_a_second() {
        let breaker = Breaker::default();
        assert!(breaker.allows(Duration::ZERO));
        breaker.failed(Duration::from_secs(10));
        assert!(!breaker.allows(Duration::from_millis(10_999)));
        assert!(breaker.allows(Duration::from_secs(11)));
        breaker.failed(Duration::from_secs(11));
        breaker.succeeded();
        assert!(breaker.allows(Duration::from_secs(11)));
    }
}
