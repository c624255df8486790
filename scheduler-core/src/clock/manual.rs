//! A clock that a test sets.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::watch;

use super::Clock;

/// A clock that stands still until it is told. Clones share one time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    wall: Arc<Mutex<DateTime<Utc>>>,
    uptime: Arc<watch::Sender<Duration>>,
}

impl ManualClock {
    /// A clock that says `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { wall: Arc::new(Mutex::new(now)), uptime: Arc::new(watch::Sender::new(Duration::ZERO)) }
    }

    /// Lets time go by: the wall clock and the uptime grow, and sleeps that have had their time end.
    ///
    /// # Panics
    /// When the wall clock would leave chrono's range.
    pub fn advance(&self, duration: Duration) {
        let step = TimeDelta::from_std(duration).expect("a step within chrono's range");
        *self.wall() += step;
        self.uptime.send_modify(|uptime| *uptime += duration);
    }

    /// Steps the wall clock alone, as an operator or a time server does; no time goes by.
    ///
    /// # Panics
    /// When the wall clock would leave chrono's range.
    pub fn step(&self, delta: TimeDelta) {
        *self.wall() += delta;
    }

    fn wall(&self) -> MutexGuard<'_, DateTime<Utc>> {
        self.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.wall()
    }

    fn uptime(&self) -> Duration {
        *self.uptime.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut uptime = self.uptime.subscribe();
        let end = *uptime.borrow() + duration;
        async move {
            // The sender lives as long as any clone; when all are gone, nothing can end the sleep.
            if uptime.wait_for(|now| *now >= end).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        .boxed()
    }
}
