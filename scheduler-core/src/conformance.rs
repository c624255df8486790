//! The suites that define the backend traits, for the tests of an implementation.
//!
//! [`store_conformance!`](crate::store_conformance), [`queue_conformance!`](crate::queue_conformance) and
//! [`lock_conformance!`](crate::lock_conformance) each take an async function that makes a harness, and generate one
//! `#[tokio::test]` a case, each with a harness of its own. The test crate needs tokio with the features `macros` and
//! `rt-multi-thread`. Give each suite a module of its own.
//!
//! ```text
//! scheduler_core::lock_conformance!(harness);
//!
//! async fn harness() -> impl LockHarness { … }
//! ```
//!
//! Cases never step a clock: where time has to go by it is a fraction of a second, which an implementation on a
//! server's clock really waits.

#[doc(hidden)]
pub mod audit;
#[doc(hidden)]
pub mod backfill;
#[doc(hidden)]
pub mod cancel;
#[doc(hidden)]
pub mod claim;
#[doc(hidden)]
pub mod control;
#[doc(hidden)]
pub mod decide;
#[doc(hidden)]
pub mod dependants;
#[doc(hidden)]
pub mod every_instance;
#[doc(hidden)]
pub mod finish;
mod frequent;
#[doc(hidden)]
pub mod history;
#[doc(hidden)]
pub mod lease;
#[doc(hidden)]
pub mod load;
#[doc(hidden)]
pub mod lock;
#[doc(hidden)]
pub mod manual;
#[doc(hidden)]
pub mod pause;
#[doc(hidden)]
pub mod prune;
#[doc(hidden)]
pub mod queue;
#[doc(hidden)]
pub mod recover;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod retry;
#[doc(hidden)]
pub mod revision;
mod scene;
#[doc(hidden)]
pub mod skip;
mod store;
#[doc(hidden)]
pub mod survey;
#[doc(hidden)]
pub mod take;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod trace_context;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    identity::{ExecutionId, JobId},
    lock::LockBackend,
    store::{Pause, Store},
};

/// A store that a case may use as it likes.
///
/// Every case makes one. Its rows are its own (a schema or namespace of its own on a server): cases run side by side,
/// and a recovery of one must not find the expired leases of another.
#[async_trait]
pub trait StoreHarness: Send + Sync {
    /// The store; the same one at each call.
    fn store(&self) -> Arc<dyn Store>;

    /// Lets at least this much time go by on the store's clock: a manual clock is advanced, a server's is waited for.
    async fn pass(&self, time: Duration);

    /// Sets the lease of a running execution to have expired a moment ago. The lease goes on to exist. Nothing happens
    /// to one that has ended.
    async fn expire_lease(&self, execution: ExecutionId);

    /// Pauses a job from now on, or resumes it. No rows are written and the watermark stays.
    async fn set_pause(&self, job: &JobId, pause: Option<Pause>);
}

/// A lock backend that a case may use as it likes. Every case makes one, whose keys are its own.
#[async_trait]
pub trait LockHarness: Send + Sync {
    /// The backend; the same one at each call.
    fn locks(&self) -> Arc<dyn LockBackend>;

    /// The backend's clock.
    async fn now(&self) -> DateTime<Utc>;

    /// Lets at least this much time go by on the backend's clock: a manual clock is advanced, a server's is waited for.
    async fn pass(&self, time: Duration);

    /// How long the job's cursor will live unless it moves; `None` when there is none.
    async fn cursor_life(&self, job: &JobId) -> Option<Duration>;
}

/// Generates one test a case.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($harness:expr, $suite:ident: $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                use $crate::conformance::$suite as suite;
                let harness = ($harness)().await;
                suite::$case(&harness).await;
            }
        )*
    };
}
