//! The scheduler: jobs, registry, engine, backend traits and memory backends.

pub mod clock;
pub mod execution;
pub mod identity;
pub mod job;
pub mod lock;
pub mod occurrence;
pub mod status;
pub mod store;
