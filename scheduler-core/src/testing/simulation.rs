//! Several schedulers in one thread and virtual time, with faults from a seed.

mod chaos;
mod effects;
mod fault;
mod jobs;
mod judge;
mod machine;
mod network;
mod operator;
mod report;
#[cfg(test)]
mod tests;
mod time;
mod trace;
mod world;

use std::{fmt, sync::Arc, time::Duration};

pub use effects::{Effect, EffectKind};
pub use fault::FaultKind;
pub use report::Report;

use self::{
    machine::{Deciding, Parts, WrapLocks},
    world::World,
};
use crate::{SchedulerBuilder, build_error::BuildError};

/// Which backends the schedulers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backends {
    /// A store that all share.
    Store,
    /// A store that all share, and a lock backend in front of it.
    StoreAndLocks,
    /// A store each, which dies with its process, and a lock backend that is the claim. What is promised is less (R15):
    /// that nothing runs twice, or two at a time, as long as the lock backend forgets nothing.
    LocksAlone,
}

/// Several schedulers in one thread and virtual time, each on a machine with a clock of its own, with faults from a
/// seed: processes crash and stand still, the network loses what it carries, backends go away, clocks are stepped. At
/// the end, after a time without faults, every promise is checked.
///
/// The same seed does the same again, to the last message. Bodies are the user's own: they may use tokio's timers,
/// which run in virtual time. What they spawn by themselves is not stopped by a crash, and what they draw from chance
/// of their own (as `tokio::select!` does without `biased`) is not repeated.
///
/// ```
/// use scheduler_core::{job::{Job, OnCrash}, testing::Simulation};
/// use std::time::Duration;
///
/// let report = Simulation::new(42)
///     .scheduler(|it| {
///         let invoices = Job::builder("invoices").every(Duration::from_secs(2)).on_crash(OnCrash::Rerun);
///         it.jobs([invoices.run(|| async { tokio::time::sleep(Duration::from_millis(700)).await })])
///     })
///     .run()?;
/// assert!(report.faults.len() >= 20);
/// // What is promised of every occurrence was kept; a service's own promises are checked by what its bodies left.
/// assert_eq!(report.violations, [], "{report}");
/// # Ok::<(), scheduler_core::build_error::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is simulated before `run`"]
pub struct Simulation {
    seed: u64,
    machines: Option<usize>,
    backends: Option<Backends>,
    parts: Option<Parts>,
    span: Duration,
    faults: Option<usize>,
    without: Vec<FaultKind>,
    in_words: bool,
    deciding: Option<Deciding>,
    wrap_locks: WrapLocks,
    /// What runs in place of a scheduler.
    #[cfg(test)]
    other: Option<machine::Other>,
}

impl Simulation {
    /// How long faults come, unless told otherwise.
    pub const SPAN: Duration = Duration::from_secs(40);

    /// How long no fault comes before the end: long enough for a healthy instance to repair all that is left, with
    /// leases of a few seconds.
    pub const QUIET: Duration = Duration::from_secs(30);

    /// A simulation with three to five schedulers, of jobs of every kind, of which all that is not told here is drawn
    /// from the seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            machines: None,
            backends: None,
            parts: None,
            span: Self::SPAN,
            faults: None,
            without: Vec::new(),
            in_words: false,
            deciding: None,
            wrap_locks: Arc::new(|locks| Arc::new(locks)),
            #[cfg(test)]
            other: None,
        }
    }

    /// Gives each scheduler its jobs and state; it is called for each start of a process. The store, the lock backend and
    /// the clock are the simulation's.
    pub fn scheduler(mut self, parts: impl Fn(SchedulerBuilder) -> SchedulerBuilder + Send + Sync + 'static) -> Self {
        self.parts = Some(Arc::new(parts));
        self
    }

    /// How many machines there are.
    pub const fn machines(mut self, machines: usize) -> Self {
        self.machines = Some(machines);
        self
    }

    /// Which backends they have.
    pub const fn backends(mut self, backends: Backends) -> Self {
        self.backends = Some(backends);
        self
    }

    /// How long faults come, in virtual time; [`Simulation::QUIET`] follows.
    pub const fn span(mut self, span: Duration) -> Self {
        self.span = span;
        self
    }

    /// How many faults come.
    pub const fn faults(mut self, faults: usize) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Leaves a kind of fault out.
    pub fn without(mut self, kind: FaultKind) -> Self {
        self.without.push(kind);
        self
    }

    /// Keeps what happens in words, for [`Report::trace`].
    pub const fn in_words(mut self) -> Self {
        self.in_words = true;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// Every mistake in the jobs and their state.
    ///
    /// # Panics
    /// When a runtime can't be made, or is there: it is called outside of one.
    pub fn run(&self) -> Result<Report, BuildError> {
        World::run(self)
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("seed", &self.seed).field("span", &self.span).finish_non_exhaustive()
    }
}
