//! What tests of a service's jobs use.

mod by_hand;
#[cfg_attr(not(test), expect(dead_code, reason = "what freezes tasks is still to come"))]
pub(crate) mod executor;
mod faults;
mod ledger;
mod link;
mod process;

pub use by_hand::ManualScheduler;
pub use faults::Faults;
pub use ledger::{Invariant, LedgerJob, Violation, check_change, check_ledger};
pub use link::Operation;

pub use crate::clock::ManualClock;
