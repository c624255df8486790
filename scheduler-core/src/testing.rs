//! What tests of a service's jobs use.

mod by_hand;
mod chance;
mod context;
pub(crate) mod executor;
mod faults;
mod ledger;
mod link;
mod process;
mod simulation;

pub use by_hand::ManualScheduler;
pub use context::context;
pub use faults::Faults;
pub use ledger::{Invariant, LedgerJob, Violation, check_change, check_ledger};
pub use link::Operation;
pub use simulation::{Backends, Effect, EffectKind, FaultKind, Report, Simulation};

pub use crate::clock::ManualClock;
