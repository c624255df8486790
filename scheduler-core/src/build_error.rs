//! What is wrong with a scheduler before it starts.

use std::fmt;

/// Every mistake that `build()` found, at once.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError {
    mistakes: Vec<Mistake>,
}

impl BuildError {
    pub(crate) const fn new(mistakes: Vec<Mistake>) -> Self {
        Self { mistakes }
    }

    /// The mistakes.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [only] => only.fmt(f),
            all => {
                write!(f, "the scheduler has {} mistakes:", all.len())?;
                all.iter().try_for_each(|mistake| write!(f, "\n- {mistake}"))
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// As it prints: a `main` that returns it prints this.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::told::with_sources(self, f)
    }
}

/// One mistake in a job's or the scheduler's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// Two jobs have one id.
    #[error("job id `{id}` is used by {count} jobs")]
    DuplicateId {
        /// The id.
        id: String,
        /// How many jobs have it.
        count: usize,
    },
    /// A job's body takes state that the builder was not given.
    #[error("job `{id}` takes `State<{state}>`; give the builder one by `.state(value)`")]
    MissingState {
        /// The job.
        id: String,
        /// The type.
        state: &'static str,
    },
    /// Two calendars have one name.
    #[error("two calendars are named `{name}`")]
    DuplicateCalendar {
        /// The name.
        name: String,
    },
    /// A setting of a job is wrong.
    #[error("job `{id}`: {problem}")]
    Setting {
        /// The job.
        id: String,
        /// What is wrong.
        problem: String,
    },
    /// The same backend pair can't do what is asked.
    #[error("{0}")]
    Backends(String),
}
