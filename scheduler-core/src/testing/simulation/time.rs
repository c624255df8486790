//! Virtual time, and machines whose clocks differ from it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;

use crate::clock::Clock;

/// A millionth, of which clock rates are counted in.
const MILLION: i64 = 1_000_000;

/// Virtual time: tokio's clock, paused, which goes on when nothing else is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VirtualTime {
    began: Instant,
    epoch: DateTime<Utc>,
}

impl VirtualTime {
    /// Time that begins now, at this instant.
    #[expect(clippy::disallowed_methods, reason = "this is where a simulation's clocks take their time from")]
    pub(crate) fn begin(epoch: DateTime<Utc>) -> Self {
        Self { began: Instant::now(), epoch }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// The clocks of one machine; clones are of the same machine, and outlive its processes.
#[derive(Clone)]
pub(crate) struct MachineClock(Arc<Machine>);

struct Machine {
    time: VirtualTime,
    /// How long it was up when time began.
    up_before: Duration,
    /// How much faster its oscillator is, in millionths.
    rate: i64,
    wall: Mutex<Wall>,
}

/// The wall clock: what it said at some moment, and how it has gone on since.
#[derive(Debug, Clone, Copy)]
struct Wall {
    at: Duration,
    said: DateTime<Utc>,
    rate: i64,
}

impl MachineClock {
    /// A machine whose wall clock is off, and whose oscillator is faster by so many millionths.
    pub(crate) fn new(time: VirtualTime, off: TimeDelta, rate: i64, up_before: Duration) -> Self {
        let wall = Wall { at: time.elapsed(), said: time.epoch + off, rate };
        Self(Arc::new(Machine { time, up_before, rate, wall: Mutex::new(wall) }))
    }

    /// A machine that is right.
    pub(crate) fn right(time: VirtualTime) -> Self {
        Self::new(time, TimeDelta::zero(), 0, Duration::ZERO)
    }

    /// What a clock that is right said when time began.
    pub(crate) fn began(&self) -> DateTime<Utc> {
        self.0.time.epoch
    }

    /// Steps the wall clock.
    pub(crate) fn step(&self, by: TimeDelta) {
        self.wall().said += by;
    }

    /// Lets the wall clock, and it alone, go on at another rate, as a time server's slewing does.
    pub(crate) fn set_rate(&self, rate: i64) {
        let now = self.now();
        *self.wall() = Wall { at: self.0.time.elapsed(), said: now, rate };
    }

    fn wall(&self) -> MutexGuard<'_, Wall> {
        self.0.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So much of a machine's time is so much virtual time.
fn faster(time: Duration, rate: i64) -> Duration {
    scale(time, MILLION + rate, MILLION)
}

fn scale(time: Duration, to: i64, from: i64) -> Duration {
    // Rounded up, so that a sleep never ends early by its own machine's clock.
    let nanos = (time.as_nanos() * u128::from(to.unsigned_abs())).div_ceil(u128::from(from.unsigned_abs()));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        let wall = *self.wall();
        let since = self.0.time.elapsed().saturating_sub(wall.at);
        wall.said + TimeDelta::from_std(faster(since, wall.rate)).unwrap_or(TimeDelta::MAX)
    }

    fn uptime(&self) -> Duration {
        self.0.up_before + faster(self.0.time.elapsed(), self.0.rate)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(scale(duration, MILLION, MILLION + self.0.rate)).boxed()
    }
}

impl fmt::Debug for MachineClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clocks_go_apart_at_their_rates_and_step_alone() {
        let time = VirtualTime::begin(DateTime::UNIX_EPOCH);
        let fast = MachineClock::new(time, TimeDelta::seconds(5), 1_000, Duration::from_secs(7));
        let right = MachineClock::right(time);
        right.sleep(Duration::from_secs(1_000)).await;
        assert_eq!(right.now(), DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000));
        assert_eq!(fast.now(), right.now() + TimeDelta::seconds(6));
        assert_eq!(fast.uptime(), right.uptime() + Duration::from_secs(8));
        fast.step(TimeDelta::seconds(-60));
        assert_eq!(fast.now(), right.now() - TimeDelta::seconds(54));
        assert_eq!(fast.uptime(), right.uptime() + Duration::from_secs(8));
        fast.set_rate(0);
        right.sleep(Duration::from_secs(1_000)).await;
        assert_eq!(fast.now(), right.now() - TimeDelta::seconds(54));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_has_its_length_by_its_own_machine() {
        let time = VirtualTime::begin(DateTime::UNIX_EPOCH);
        let slow = MachineClock::new(time, TimeDelta::zero(), -50_000, Duration::ZERO);
        let before = slow.uptime();
        slow.sleep(Duration::from_secs(95)).await;
        let slept = slow.uptime() - before;
        assert!(slept >= Duration::from_secs(95) && slept < Duration::from_millis(95_010), "{slept:?}");
        assert!(time.elapsed() >= Duration::from_secs(100));
    }
}
