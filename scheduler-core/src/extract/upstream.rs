//! What the job answered that this one runs after, typed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::FromContext;
use crate::{context::JobContext, outcome::JobError};

/// The result of the job that this one runs after, as a `T`; of several jobs an object of their results, by their ids.
///
/// A job that answered nothing has the result `null`, and so has every one in a run that follows on none, as a manual
/// one: `Option<T>` is `None` then. A text that a job answers is its message and no result: what others take is
/// [`Json`](crate::outcome::Json). What does not fit fails the attempt for good. A job that takes it and runs after no
/// other does not build, nor does one that takes more than the job before can answer.
///
/// ```
/// use scheduler_core::{extract::Upstream, job::Job, outcome::Json};
///
/// let count = Job::builder("count").cron("0 1 * * *").run(|| async { Json(17) });
/// let report = Job::builder("report").after(["count"]).run(|Upstream(count): Upstream<u32>| async move {
///     format!("{count} were counted")
/// });
/// # let _ = (count, report);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream<T>(pub T);

impl<T: DeserializeOwned> FromContext for Upstream<T> {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        let results = context.upstream_results().unwrap_or(&Value::Null);
        let mut upstreams = context.settings().upstreams();
        let result = match (upstreams.next(), upstreams.next()) {
            (Some(only), None) => results.get(only).unwrap_or(&Value::Null),
            _ => results,
        };
        let refusal = |error| JobError::permanent(format!("the result of the job before does not fit: {error}"));
        T::deserialize(result).map(Self).map_err(refusal)
    }

    fn needs_upstream() -> bool {
        true
    }

    fn check_upstream(result: &Value) -> Result<(), String> {
        let takes = || format!("`Upstream<{}>`", std::any::type_name::<T>());
        T::deserialize(result).map(drop).map_err(|_| takes())
    }
}
