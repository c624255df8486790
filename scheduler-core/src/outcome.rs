//! What a job's body answers.

mod error;
mod into_outcome;

use serde::Serialize;
use serde_json::Value;

pub use error::{JobError, Retry};
pub use into_outcome::{IntoOutcome, Json};

/// What most bodies return: an [`Outcome`], or an error that `?` makes of any other.
pub type JobResult<T = Outcome> = Result<T, JobError>;

/// How a run ended by its body's own word.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "an outcome counts when the body returns it"]
pub struct Outcome {
    verdict: Verdict,
    message: Option<String>,
    data: Option<Value>,
    /// Why the data that was given could not be kept.
    data_error: Option<String>,
}

/// The word itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The work is done.
    Succeeded,
    /// The work failed; it is retried as an error is.
    Failed,
    /// There was nothing to do: `succeeded`, with the reason `nothing_to_do`.
    Skipped,
}

impl Outcome {
    /// The work is done.
    pub fn succeeded(message: impl Into<String>) -> Self {
        Self::new(Verdict::Succeeded, Some(message.into()))
    }

    /// The work failed; it is retried as an error is.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, Some(message.into()))
    }

    /// There was nothing to do.
    pub fn skipped(message: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, Some(message.into()))
    }

    pub(crate) const fn new(verdict: Verdict, message: Option<String>) -> Self {
        Self { verdict, message, data: None, data_error: None }
    }

    /// Adds what the history keeps as `result_data`. What can't be turned into JSON makes the run fail, and says so.
    pub fn with_data(mut self, data: impl Serialize) -> Self {
        match serde_json::to_value(data) {
            Ok(data) => self.data = Some(data),
            Err(error) => self.data_error = Some(format!("the result can't be written as JSON: {error}")),
        }
        self
    }

    /// The word.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What the body said.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// What the history keeps as `result_data`.
    #[must_use]
    pub const fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// The outcome, or the error of data that could not be kept.
    pub(crate) fn checked(self) -> JobResult {
        match self.data_error {
            Some(error) => Err(JobError::permanent(error)),
            None => Ok(self),
        }
    }

    pub(crate) fn into_parts(self) -> (Verdict, Option<String>, Option<Value>) {
        (self.verdict, self.message, self.data)
    }
}
