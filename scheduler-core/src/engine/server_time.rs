//! The store's clock, as the instance knows it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// How far the store's clock may move against the uptime between two samples before it counts as stepped (R6).
const STEP: TimeDelta = TimeDelta::seconds(1);

/// How much slower than this machine's uptime the store's clock may run, as a part of the time: clocks that are kept in time
/// drift less.
const DRIFT: i32 = 5_000;

/// The store's clock: its last sample and the uptime gone by since, so that a step of this machine's wall clock
/// changes nothing. A store without a clock of its own has the wall clock's.
#[derive(Debug)]
pub(crate) struct ServerTime {
    /// Whether the store has a clock of its own.
    has_clock: bool,
    sample: Mutex<Sample>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    at: DateTime<Utc>,
    uptime: Duration,
    /// The wall clock's lead over the store's clock.
    offset: TimeDelta,
}

impl ServerTime {
    /// Time by the wall clock, until a sample is taken if the store has a clock of its own.
    pub(crate) fn new(clock: &dyn Clock, server_clock: bool) -> Self {
        let sample = Sample { at: clock.now(), uptime: clock.uptime(), offset: TimeDelta::zero() };
        Self { has_clock: server_clock, sample: Mutex::new(sample) }
    }

    pub(crate) fn now(&self, clock: &dyn Clock) -> DateTime<Utc> {
        if !self.has_clock {
            return clock.now();
        }
        let sample = *lock(&self.sample);
        sample.at + elapsed(sample.uptime, clock.uptime())
    }

    /// How far the wall clock is ahead of the store's, as last sampled.
    pub(crate) fn offset(&self) -> TimeDelta {
        if self.has_clock { lock(&self.sample).offset } else { TimeDelta::zero() }
    }

    /// Takes a sample: the store said `now` between the uptimes `asked` and `answered`. `true` when its clock, its own
    /// or this machine's, stepped.
    pub(crate) fn sample(&self, clock: &dyn Clock, now: DateTime<Utc>, asked: Duration, answered: Duration) -> bool {
        let middle = asked + (answered.saturating_sub(asked)) / 2;
        let mut sample = lock(&self.sample);
        let expected = sample.at + elapsed(sample.uptime, middle);
        let wall = clock.now() - elapsed(middle, clock.uptime());
        // Somewhere between the two uptimes the store read its clock: at the answer it showed this much at the least, and as
        // much more as the trip took at the most. By the least nothing starts early, however long the trip. An earlier
        // sample that lies between the two came of a shorter trip, and is the better one, but for how the clocks drift.
        let (least, most) = (now, now + elapsed(asked, answered));
        let earlier = sample.at + elapsed(sample.uptime, answered) - elapsed(sample.uptime, answered) / DRIFT;
        let at = if (least..=most).contains(&earlier) { earlier } else { least };
        *sample = Sample { at, uptime: answered, offset: wall - now };
        (now - expected).abs() > STEP
    }
}

fn lock(sample: &Mutex<Sample>) -> MutexGuard<'_, Sample> {
    sample.lock().unwrap_or_else(PoisonError::into_inner)
}

fn elapsed(from: Duration, to: Duration) -> TimeDelta {
    TimeDelta::from_std(to.saturating_sub(from)).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_step_of_the_wall_clock_does_not_move_the_store_s_time() {
        let clock = ManualClock::new(DateTime::UNIX_EPOCH);
        let time = ServerTime::new(&clock, true);
        let server = DateTime::UNIX_EPOCH + TimeDelta::seconds(20);
        time.sample(&clock, server, clock.uptime(), clock.uptime());
        clock.step(TimeDelta::hours(1));
        clock.advance(Duration::from_secs(5));
        assert_eq!(time.now(&clock), server + TimeDelta::seconds(5));
        assert_eq!(time.offset(), TimeDelta::seconds(-20));
    }

    #[test]
    fn the_store_s_time_is_never_taken_for_later_than_it_is() {
        let clock = ManualClock::new(DateTime::UNIX_EPOCH);
        let time = ServerTime::new(&clock, true);
        let ms = Duration::from_millis;
        // The store reads its clock, which is right, at the beginning or at the end of trips of different lengths.
        for (trip, read_after) in [(60, 60), (60, 0), (2, 2), (80, 80), (80, 1), (5_000, 5_000)] {
            let asked = clock.uptime();
            clock.advance(ms(read_after));
            let now = clock.now();
            clock.advance(ms(trip - read_after));
            time.sample(&clock, now, asked, clock.uptime());
            assert!(time.now(&clock) <= clock.now(), "after a trip of {trip} ms");
            clock.advance(ms(5_000));
        }
        assert!(clock.now() - time.now(&clock) <= TimeDelta::milliseconds(10), "the short trip's sample is kept");
    }

    #[test]
    fn a_step_of_the_wall_clock_is_told_where_the_store_has_no_other() {
        let clock = ManualClock::new(DateTime::UNIX_EPOCH);
        let time = ServerTime::new(&clock, false);
        let sample = || time.sample(&clock, clock.now(), clock.uptime(), clock.uptime());
        clock.advance(Duration::from_secs(5));
        assert!(!sample());
        clock.step(TimeDelta::seconds(2));
        assert!(sample() && !sample());
        assert_eq!((time.now(&clock), time.offset()), (clock.now(), TimeDelta::zero()));
    }

    #[test]
    fn a_step_of_the_store_s_clock_is_told() {
        let clock = ManualClock::new(DateTime::UNIX_EPOCH);
        let time = ServerTime::new(&clock, true);
        assert!(!time.sample(&clock, clock.now() + TimeDelta::milliseconds(900), clock.uptime(), clock.uptime()));
        assert!(time.sample(&clock, clock.now() + TimeDelta::seconds(3), clock.uptime(), clock.uptime()));
    }

    #[test]
    fn without_a_clock_of_its_own_the_store_s_time_is_the_wall_clock() {
        let clock = ManualClock::new(DateTime::UNIX_EPOCH);
        let time = ServerTime::new(&clock, false);
        clock.step(TimeDelta::hours(1));
        assert_eq!(time.now(&clock), clock.now());
    }
}
