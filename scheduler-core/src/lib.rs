//! The scheduler: jobs, registry, engine, backend traits and memory backends.

pub mod build_error;
pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod context;
mod duty;
mod engine;
pub mod event;
pub mod execution;
pub mod extract;
mod handle;
pub mod identity;
pub mod job;
pub mod lock;
pub mod logs;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
mod metrics;
pub mod occurrence;
pub mod outcome;
mod random;
#[doc(hidden)]
pub mod redact;
mod registry;
mod scheduler;
mod start_error;
pub mod status;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[doc(hidden)]
pub mod told;
mod trace_context;

pub use engine::Health;
pub use handle::{
    Backfill, Backfilled, Cancelled, JobStatus, OperatorError, SchedulerHandle, TriggerError, TriggerRequest, Triggered,
};
#[doc(hidden)]
pub use registry::register;
pub use registry::registered_jobs;
pub use scheduler::{RunningScheduler, Scheduler, SchedulerBuilder};
pub use start_error::StartError;
pub use trace_context::TraceContext;
