//! The error of a job's body.

use std::{error::Error, fmt, time::Duration};

/// Why an attempt failed, and whether another one can help.
///
/// Any error becomes one by `?`, and is retried by the job's settings. Like `anyhow::Error` it is not itself
/// a [`std::error::Error`], so that it can be made of every one.
pub struct JobError {
    error: Box<dyn Error + Send + Sync>,
    retry: Retry,
}

/// Whether another attempt follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// By the job's settings.
    BySettings,
    /// None, whatever the settings say.
    Never,
    /// While attempts are left, after this delay.
    After(Duration),
}

impl JobError {
    /// An error that is retried by the job's settings.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: error.into(), retry: Retry::BySettings }
    }

    /// An error that no further attempt can mend.
    pub fn permanent(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: error.into(), retry: Retry::Never }
    }

    /// Asks for the next attempt, while any are left, after this delay instead of the job's own.
    #[must_use]
    pub fn retry_after(delay: Duration) -> Self {
        Self { error: format!("not ready, asks to be tried again in {delay:?}").into(), retry: Retry::After(delay) }
    }

    /// Says why, instead of what was said before.
    #[must_use]
    pub fn because(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.error = error.into();
        self
    }

    /// Whether another attempt follows.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// The error and its sources, a line each.
    #[must_use]
    pub fn trace(&self) -> String {
        let mut trace = self.error.to_string();
        let mut source = self.error.source();
        while let Some(error) = source {
            trace.push_str("\ncaused by: ");
            trace.push_str(&error.to_string());
            source = error.source();
        }
        trace
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobError").field("error", &self.error).field("retry", &self.retry).finish()
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// Carries a [`JobError`] through a box, so that its `retry` is not lost.
#[derive(Debug)]
struct Boxed(JobError);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Boxed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error.source()
    }
}

impl From<JobError> for Box<dyn Error + Send + Sync> {
    fn from(error: JobError) -> Self {
        Box::new(Boxed(error))
    }
}

impl JobError {
    /// The error of a body that returns anything which boxes; a boxed [`JobError`] comes out as it went in.
    pub(super) fn from_boxed(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<Boxed>() {
            Ok(boxed) => boxed.0,
            Err(error) => Self::new(error),
        }
    }
}
