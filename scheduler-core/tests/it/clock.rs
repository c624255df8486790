//! A manual clock that knows who sleeps by it, so that a test can wait until a new time was seen.

use std::{
    collections::HashMap,
    future::poll_fn,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt as _, future::BoxFuture};
use scheduler_core::clock::{Clock, ManualClock};

/// How long a quiet must last, in real time, to be one.
const QUIET: Duration = Duration::from_millis(1);

/// How often a quiet is waited for: somebody may sleep on a thread that a test has blocked.
const LOOKS: usize = 50;

/// A manual clock, and its sleepers.
#[derive(Debug, Clone)]
pub(crate) struct RigClock {
    clock: ManualClock,
    sleepers: Arc<Mutex<Sleepers>>,
}

/// Who sleeps.
#[derive(Debug, Default)]
struct Sleepers {
    /// By a number of their own: the uptime that they saw last.
    seen: HashMap<u64, Duration>,
    /// How many there have been, those that are gone among them.
    made: u64,
    gone: u64,
}

impl RigClock {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self { clock: ManualClock::new(now), sleepers: Arc::default() }
    }

    /// Gives those who sleep time to see what changed, and to do what comes of it: until all have seen the time and nobody has woken
    /// or gone to sleep for a while. What must come is waited for; this only makes it come sooner.
    pub(crate) async fn settle(&self) {
        let mut before = None;
        for _ in 0..LOOKS {
            tokio::time::sleep(QUIET).await;
            let now = self.uptime();
            let sleepers = lock(&self.sleepers);
            let all_saw = sleepers.seen.values().all(|seen| *seen >= now);
            let changes = Some((sleepers.made, sleepers.gone));
            if all_saw && changes == before {
                return;
            }
            before = changes;
        }
    }
}

impl Deref for RigClock {
    type Target = ManualClock;

    fn deref(&self) -> &ManualClock {
        &self.clock
    }
}

impl Clock for RigClock {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn uptime(&self) -> Duration {
        self.clock.uptime()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut sleep = self.clock.sleep(duration);
        let sleeper = Sleeper::new(self);
        poll_fn(move |context| {
            sleeper.saw();
            sleep.poll_unpin(context)
        })
        .boxed()
    }
}

/// One who sleeps, for as long as it does.
struct Sleeper {
    number: u64,
    clock: RigClock,
}

impl Sleeper {
    fn new(clock: &RigClock) -> Self {
        let mut sleepers = lock(&clock.sleepers);
        sleepers.made += 1;
        let number = sleepers.made;
        sleepers.seen.insert(number, clock.uptime());
        Self { number, clock: clock.clone() }
    }

    fn saw(&self) {
        let now = self.clock.uptime();
        lock(&self.clock.sleepers).seen.insert(self.number, now);
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let mut sleepers = lock(&self.clock.sleepers);
        sleepers.gone += 1;
        sleepers.seen.remove(&self.number);
    }
}

fn lock(sleepers: &Mutex<Sleepers>) -> MutexGuard<'_, Sleepers> {
    sleepers.lock().unwrap_or_else(PoisonError::into_inner)
}
