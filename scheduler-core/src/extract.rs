//! The arguments that a body may take.

mod params;
mod scheduled_at;
mod state;
mod upstream;

use std::any::TypeId;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use params::Params;
pub use scheduled_at::ScheduledAt;
pub use state::State;
pub use upstream::Upstream;

use crate::{context::JobContext, identity::FencingToken, outcome::JobError, trace_context::TraceContext};

/// A type that a job's body may take as an argument, made from its execution's context.
///
/// These are: [`JobContext`], [`State`], [`Params`], [`ScheduledAt`], [`Attempt`], [`CancellationToken`],
/// [`FencingToken`], [`Upstream`], and [`TraceContext`] in an `Option`, as [`Params`] may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an argument of a job",
    label = "a job can't take this",
    note = "a job takes `JobContext`, `State<T>`, `Params<T>`, `ScheduledAt`, `Attempt`, `CancellationToken`, `FencingToken`, `Upstream<T>` and `Option<TraceContext>`, in any order",
    note = "a value of the service's own is `State<T>` where `T: Clone + Send + Sync + 'static`, given to the builder by `.state(value)`"
)]
pub trait FromContext: Sized {
    /// The argument.
    ///
    /// # Errors
    /// When the context does not hold it; the attempt fails with the error, before the body starts.
    fn from_context(context: &JobContext) -> Result<Self, JobError>;

    /// The state that must have been given to the builder.
    fn required_state() -> Option<RequiredState> {
        None
    }

    /// Whether the job must run after another one.
    fn needs_upstream() -> bool {
        false
    }

    /// Whether what the jobs answered that this one runs after fits, asked by `build()` where that is known beforehand.
    ///
    /// # Errors
    /// What it takes and does not fit.
    fn check_upstream(_result: &Value) -> Result<(), String> {
        Ok(())
    }

    /// Whether a manual request's parameters fit, asked before its row is written.
    ///
    /// # Errors
    /// What does not fit.
    fn check_params(_params: Option<&Value>) -> Result<(), String> {
        Ok(())
    }
}

/// A type of state that a job needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequiredState {
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
}

impl RequiredState {
    /// The state of this type.
    #[must_use]
    pub fn of<T: 'static>() -> Self {
        Self { type_id: TypeId::of::<T>(), type_name: std::any::type_name::<T>() }
    }
}

/// The number of this attempt, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

impl FromContext for JobContext {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        Ok(context.clone())
    }
}

impl FromContext for Attempt {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        Ok(Self(context.attempt()))
    }
}

impl FromContext for CancellationToken {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        Ok(context.cancellation_token().clone())
    }
}

impl FromContext for FencingToken {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        Ok(context.fencing_token())
    }
}

impl FromContext for Option<TraceContext> {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        Ok(context.trace_context().cloned())
    }
}
