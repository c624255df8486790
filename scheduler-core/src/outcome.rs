//! What a job's body answers.
//!
//! The history keeps a bounded part of it: [`Outcome::LONGEST_MESSAGE`] of a message and [`Outcome::LONGEST_TRACE`] of an
//! error's chain, without what looks like a secret and with control characters replaced by U+FFFD, and data of [`Outcome::LARGEST_DATA`]. What is cut or left
//! out says so in its place. Integers are kept to the last digit.

mod bounds;
mod error;
mod into_outcome;

use serde::Serialize;
use serde_json::Value;

#[cfg(feature = "logs")]
pub(crate) use bounds::{SECRET_ROOM, cut_text};
pub(crate) use bounds::{bounded_data, bounded_text};
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
    /// Whether the body only returned, with `()` or a text: it says nothing of how much of the work is done.
    is_plain: bool,
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
        Self { verdict, message, data: None, data_error: None, is_plain: false }
    }

    /// The outcome of a body that returned `()` or a text.
    pub(crate) fn plain(message: Option<String>) -> Self {
        Self { is_plain: true, ..Self::new(Verdict::Succeeded, message) }
    }

    pub(crate) const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Adds what the history keeps as `result_data`. What can't be turned into JSON makes the run fail, and says so; what
    /// is larger than [`Outcome::LARGEST_DATA`] or deeper than [`Outcome::DEEPEST_DATA`] leaves a note in its place.
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
