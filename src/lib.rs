//! Runs annotated async functions on time, once per occurrence, on one instance of a service.
//!
//! ```
//! use std::time::Duration;
//!
//! use scheduler::{Scheduler, TriggerRequest, prelude::*, store::memory::MemoryStore};
//!
//! /// Says hello to whoever the service greets.
//! #[scheduled_job(cron = "0 8 * * MON-FRI", tz = "Asia/Jakarta", retries = 2)]
//! async fn hello(at: ScheduledAt, State(whom): State<String>) -> String {
//!     format!("hello {whom}, it is {}", at.format("%A"))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let scheduler = Scheduler::builder(MemoryStore::new()).jobs(jobs![hello]).state("Ayu".to_owned()).build()?.start().await?;
//!
//! // On its schedule, or now:
//! let id = scheduler.handle().definitions()[0].settings().id.clone();
//! let run = scheduler.handle().trigger(TriggerRequest::new(id.clone())).await?.execution;
//! let end = scheduler.handle().wait(&id, &run.occurrence, Duration::from_secs(10)).await?;
//! assert!(end.unwrap().message.unwrap().starts_with("hello Ayu"));
//!
//! scheduler.shutdown(Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees
//!
//! - **Once**: each attempt at an occurrence is claimed once, and so started at most once, over all instances that share
//!   a store. Only a failed, timed-out or (on request) abandoned attempt is followed by another.
//! - **One at a time**: while an execution holds its job's lease no other runs, scheduled or manual, unless
//!   `overlap = allow`.
//! - **No holes**: every occurrence since a job was first seen ends in a row: run, skipped or missed, with its reason.
//! - **Written first**: the row exists, as `running`, before the body's first line.
//! - **A calm stop**: [`RunningScheduler::shutdown`] lets executions end and writes every outcome.
//!
//! It does not make a body's own effects happen exactly once: give [`context::JobContext::idempotency_key`] or the
//! [`identity::FencingToken`] to what the body writes to.
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `macros` (default) | [`scheduled_job`] |
//! | `postgres` | the store on PostgreSQL |
//! | `redis` | the lock backend on Redis |
//! | `admin` | the admin API, an axum router |
//! | `dashboard` | pages for operators over the admin API |
//! | `logs` | what bodies log through `tracing`, kept with their executions: [`logs`] |
//! | `metrics` | metrics through the `metrics` facade; with `admin`, for Prometheus at `/metrics` |
//! | `quartz` | `dialect = "quartz"`: cron expressions of services that used the `cron` crate |
//! | `system-tz` | the machine's zone data in place of the one in the binary |
//! | `testing` | a scheduler that a test drives by hand |

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
        TraceContext,
        context::JobContext,
        extract::{Attempt, Params, ScheduledAt, State, Upstream},
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

    pub use scheduler_core::register;
}
