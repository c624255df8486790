//! What tests of a service's jobs use.

#[cfg_attr(not(test), expect(dead_code, reason = "what drives it is still to come"))]
pub(crate) mod executor;

pub use crate::clock::ManualClock;
