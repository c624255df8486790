//! What goes wrong, and when: drawn from the seed.

use std::{fmt, str::FromStr, time::Duration};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::network::{Backend, Way};
use crate::{
    occurrence::{UnknownWord, words},
    testing::chance::Chance,
};

words! {
    /// What can go wrong in a simulation.
    FaultKind: "fault" {
        /// A process crashes, and is started again a little later.
        Crash = "crash",
        /// All processes crash at once.
        CrashAll = "crash_all",
        /// A process is told to stop, drains, and is started again.
        Stop = "stop",
        /// A process stands still, as by SIGSTOP or on a suspended machine, and goes on.
        Pause = "pause",
        /// The service's runtime stands still: no body is polled, the engine's thread goes on.
        BlockService = "block_service",
        /// The engine's thread stands still, and bodies go on.
        StallEngine = "stall_engine",
        /// A machine can't reach the store.
        CutStore = "cut_store",
        /// A machine can't reach the lock backend.
        CutLocks = "cut_locks",
        /// What a machine asks for is done, and the answers are lost.
        LoseReplies = "lose_replies",
        /// A machine's calls and answers take long.
        Slow = "slow",
        /// The store is down for a while; answers on their way are lost.
        StoreAway = "store_away",
        /// All connections to the store are dropped.
        DropConnections = "drop_connections",
        /// The lock backend is down for a while.
        LocksAway = "locks_away",
        /// The lock backend is started again, and has forgotten every key.
        LocksForget = "locks_forget",
        /// A machine's wall clock is stepped.
        StepClock = "step_clock",
        /// A machine's wall clock goes on at another rate.
        DriftClock = "drift_clock",
    }
}

/// A fault, and what it hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// When, since the simulation began.
    pub(crate) at: Duration,
    /// How long it lasts, where it does.
    pub(crate) lasting: Duration,
    /// Which machine, where it is one's.
    pub(crate) machine: usize,
    /// Which backend, where it is one's way.
    pub(crate) backend: Backend,
    /// How the way is broken, where it is.
    pub(crate) way: Way,
    /// How far the clock is stepped.
    pub(crate) step: TimeDelta,
    /// How fast it goes on, in millionths.
    pub(crate) rate: i64,
}

/// What can go wrong, and how often against the others.
#[derive(Debug, Clone)]
pub(crate) struct Weights(pub(crate) Vec<(FaultKind, u64)>);

impl Weights {
    /// All that a store that several processes share stands.
    pub(crate) fn shared(has_locks: bool) -> Self {
        let mut weights = Self::without_network();
        weights.0.extend([
            (FaultKind::CutStore, 4),
            (FaultKind::StoreAway, 3),
            (FaultKind::DropConnections, 3),
            (FaultKind::LoseReplies, 4),
            (FaultKind::Slow, 3),
        ]);
        if has_locks {
            weights.0.extend([(FaultKind::CutLocks, 3), (FaultKind::LocksAway, 2), (FaultKind::LocksForget, 2)]);
        }
        weights
    }

    /// All that a lock backend stands which is the claim: it may be away, and must not forget (R15).
    pub(crate) fn locks_alone() -> Self {
        let mut weights = Self::without_network();
        weights.0.extend([
            (FaultKind::CutLocks, 4),
            (FaultKind::LocksAway, 3),
            (FaultKind::LoseReplies, 4),
            (FaultKind::Slow, 3),
        ]);
        weights
    }

    fn without_network() -> Self {
        Self(vec![
            (FaultKind::Crash, 5),
            (FaultKind::CrashAll, 1),
            (FaultKind::Stop, 3),
            (FaultKind::Pause, 5),
            (FaultKind::BlockService, 2),
            (FaultKind::StallEngine, 2),
            (FaultKind::StepClock, 4),
            (FaultKind::DriftClock, 2),
        ])
    }

    fn draw(&self, chance: &mut Chance) -> Option<FaultKind> {
        let mut drawn = chance.below(self.0.iter().map(|(_, weight)| weight).sum());
        for (kind, weight) in &self.0 {
            if drawn < *weight {
                return Some(*kind);
            }
            drawn -= weight;
        }
        None
    }
}

/// Draws this many faults within a span, in the order of their time.
pub(crate) fn plan(
    chance: &mut Chance,
    weights: &Weights,
    count: usize,
    span: Duration,
    machines: usize,
) -> Vec<Fault> {
    /// Processes have this long to come up undisturbed, so that there is something to disturb.
    const HEAD_START: u64 = 1_000;
    let end = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut faults: Vec<Fault> = (0..count)
        .filter_map(|_| {
            let kind = weights.draw(chance)?;
            let at = chance.millis(HEAD_START..end);
            let lasting = lasting(kind, chance).min(span.saturating_sub(at));
            Some(Fault {
                kind,
                at,
                lasting,
                machine: chance.index(machines),
                backend: if has_locks(weights) && chance.one_in(3) { Backend::Locks } else { Backend::Store },
                way: if chance.one_in(2) { Way::Refusing } else { Way::Dropping },
                step: step(chance),
                rate: chance.around_zero(50_000),
            })
        })
        .collect();
    faults.sort_by_key(|fault| fault.at);
    faults
}

fn has_locks(weights: &Weights) -> bool {
    weights.0.iter().any(|(kind, _)| *kind == FaultKind::LocksAway)
}

fn lasting(kind: FaultKind, chance: &mut Chance) -> Duration {
    match kind {
        FaultKind::Crash | FaultKind::CrashAll | FaultKind::Stop => chance.millis(200..4_000),
        // Some shorter than a lease, some for several of them.
        FaultKind::Pause | FaultKind::BlockService | FaultKind::StallEngine => chance.millis(100..9_000),
        FaultKind::StoreAway if chance.one_in(4) => chance.millis(3_000..9_000),
        FaultKind::StoreAway => chance.millis(100..2_000),
        _ => chance.millis(200..8_000),
    }
}

/// Now and then far, most often so little that it lies within a lease.
fn step(chance: &mut Chance) -> TimeDelta {
    let bound = *chance.pick(&[500, 5_000, 20_000, 3_600_000]);
    TimeDelta::milliseconds(chance.around_zero(bound))
}
