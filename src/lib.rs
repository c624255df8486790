//! Runs annotated async functions on time, once per occurrence, on one instance of a service.

pub use scheduler_core::*;
pub use scheduler_cron as cron;
#[cfg(feature = "macros")]
pub use scheduler_macros::scheduled_job;

#[cfg(feature = "admin")]
pub use scheduler_admin as admin;
#[cfg(feature = "postgres")]
pub use scheduler_postgres as postgres;
#[cfg(feature = "redis")]
pub use scheduler_redis as redis;

pub mod prelude {
    //! What a file with jobs uses.

    pub use scheduler_core::{
        context::JobContext,
        extract::{Attempt, Params, ScheduledAt, State},
        identity::FencingToken,
        job::{Job, ScheduledJob},
        jobs,
        outcome::{JobError, JobResult, Json, Outcome},
    };
    #[cfg(feature = "macros")]
    pub use scheduler_macros::scheduled_job;
    pub use tokio_util::sync::CancellationToken;
}

#[doc(hidden)]
pub mod __private {
    //! What `#[scheduled_job]` names in its expansion.

    pub use inventory;
    pub use scheduler_core::Registration;
}
