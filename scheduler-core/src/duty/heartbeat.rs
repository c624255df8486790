//! Shows that the instance lives, and samples the store's clock (R13).

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::warn;

use crate::{
    engine::{Engine, limited},
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
    since: Option<Duration>,
    offset_is_told: bool,
}

impl Healthy {
    /// Whether heartbeats were healthy for this long.
    pub(crate) fn for_as_long_as(&self, uptime: Duration, duration: Duration) -> bool {
        self.state().since.is_some_and(|since| uptime.saturating_sub(since) >= duration)
    }

    fn beat(&self, asked_at: Duration) {
        self.state().since.get_or_insert(asked_at);
    }

    fn break_off(&self) {
        self.state().since = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One heartbeat.
pub(crate) async fn run_once(engine: &Engine, version: &str) -> Result<(), StoreError> {
    let asked = engine.clock.uptime();
    let heartbeat = Heartbeat {
        instance: engine.instance,
        host: host(),
        pid: std::process::id(),
        version: version.to_owned(),
        clock_offset_ms: engine.time.offset().num_milliseconds(),
    };
    let answer = limited(&*engine.clock, LIMIT, "send a heartbeat", engine.store.heartbeat(&heartbeat)).await;
    let now = answer.inspect_err(|_| engine.healthy.break_off())?;
    engine.health.store_answered();
    let stepped = engine.time.sample(&*engine.clock, now, asked, engine.clock.uptime());
    if stepped {
        engine.healthy.break_off();
    }
    engine.healthy.beat(asked);
    warn_of_offset(engine);
    Ok(())
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
