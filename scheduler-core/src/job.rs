//! The definition of a job: its settings and its body.

mod policy;

pub use policy::{Backoff, CatchUp, OnCrash, OnLostLease, OverlapPolicy};
