//! Shows that the instance lives, and samples the store's clock (R13).

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::warn;

use crate::{
    engine::{Engine, limited},
    metrics,
    store::{Heartbeat, StoreError},
};

/// How long a heartbeat may take.
const LIMIT: Duration = Duration::from_secs(5);

/// From which difference to the store's clock on the instance's clock is warned of (R13).
const OFFSET_WARNING_MS: i64 = 1_000;

/// Since when the instance's heartbeats are healthy without a break (R6).
#[derive(Debug, Default)]
pub(crate) struct Healthy(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The uptimes of the first and the last heartbeat of the row without a break.
    beats: Option<(Duration, Duration)>,
    offset_is_told: bool,
}

impl Healthy {
    /// For how long heartbeats have been healthy at this uptime, none of them longer than `gap` after the one before: in
    /// a longer silence of this machine others may have been as silent, and their leases have expired for that alone.
    pub(crate) fn for_how_long(&self, uptime: Duration, gap: Duration) -> Duration {
        let within = |last: &(Duration, Duration)| uptime.saturating_sub(last.1) <= gap;
        self.state().beats.filter(within).map_or(Duration::ZERO, |(first, _)| uptime.saturating_sub(first))
    }

    fn beat(&self, asked_at: Duration, gap: Duration) {
        let mut state = self.state();
        let first = state.beats.filter(|(_, last)| asked_at.saturating_sub(*last) <= gap).map(|(first, _)| first);
        state.beats = Some((first.unwrap_or(asked_at), asked_at));
    }

    fn break_off(&self) {
        self.state().beats = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One heartbeat.
pub(crate) async fn run_once(engine: &Engine) -> Result<(), StoreError> {
    let asked = engine.clock.uptime();
    let heartbeat = Heartbeat {
        instance: engine.instance,
        host: host(),
        pid: std::process::id(),
        version: engine.version.clone(),
        clock_offset_ms: engine.time.offset().num_milliseconds(),
    };
    let answer = limited(&*engine.clock, LIMIT, "send a heartbeat", engine.keeper.heartbeat(&heartbeat)).await;
    let now = answer.inspect_err(|_| engine.healthy.break_off())?;
    engine.health.store_answered();
    let stepped = engine.time.sample(&*engine.clock, now, asked, engine.clock.uptime());
    if stepped {
        engine.healthy.break_off();
    }
    metrics::clock_offset(engine.time.offset().num_milliseconds());
    engine.healthy.beat(asked, engine.longest_silence());
    warn_of_offset(engine);
    Ok(())
}

impl Engine {
    /// For how long this instance's heartbeats have been healthy without a break (R6).
    pub(crate) fn healthy_for(&self) -> Duration {
        self.healthy.for_how_long(self.clock.uptime(), self.longest_silence())
    }

    /// The longest gap between two heartbeats that counts as none: half a lease, as a silence of all instances that
    /// lasts longer than that can be what another's lease expired by.
    fn longest_silence(&self) -> Duration {
        self.jobs.shortest_lease() / 2
    }
}

/// Takes the instance off the store's list.
pub(crate) async fn leave(engine: &Engine) {
    if let Err(error) = limited(&*engine.clock, LIMIT, "leave", engine.store.leave(engine.instance)).await {
        engine.health.store_failed(&error);
    }
}

fn warn_of_offset(engine: &Engine) {
    let offset_ms = engine.time.offset().num_milliseconds();
    let is_far = offset_ms.abs() > OFFSET_WARNING_MS;
    let was_told = std::mem::replace(&mut engine.healthy.state().offset_is_told, is_far);
    if is_far && !was_told {
        warn!(offset_ms, "this machine's clock differs from the store's: occurrences start by the store's clock");
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
