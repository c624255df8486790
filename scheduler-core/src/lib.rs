//! The scheduler: jobs, registry, engine, backend traits and memory backends.

pub mod build_error;
pub mod clock;
pub mod context;
pub mod execution;
pub mod extract;
pub mod identity;
pub mod job;
pub mod lock;
pub mod occurrence;
pub mod outcome;
mod registry;
pub mod status;
pub mod store;

pub use registry::{Registration, registered_jobs};
