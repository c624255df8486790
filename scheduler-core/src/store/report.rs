//! What executions say while they run, and what is read of it.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::{execution::Progress, identity::ExecutionId, logs::LogLevel};

/// Log lines and progress: kept beside the rows of executions, which they never touch (R3), and pruned with them (R21).
#[async_trait]
pub trait ReportStore: Debug + Send + Sync + 'static {
    /// Keeps what executions said. Each report is of an execution of its own; what is said of a row that is not there is
    /// left out.
    ///
    /// A line goes to its place, where it replaces one with a lower number and nothing else; so a report that is written
    /// twice is there once. The count of lines never goes back; the progress of the last report is what is kept.
    ///
    /// # Errors
    /// An error is of the whole batch: nothing is known of any of its reports.
    ///
    /// # Cancel safety
    /// A dropped call may have kept all of it; repeat it.
    async fn report(&self, reports: &[Report]) -> Result<(), StoreError>;

    /// Lines of one execution by their numbers, the lowest first, and how many it logged. None of an execution that logged
    /// none, or is not there.
    async fn logs(&self, query: &LogQuery) -> Result<LogPage, StoreError>;
}

/// What an execution said since its last report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The execution.
    pub execution_id: ExecutionId,
    /// How many lines it has logged up to now, whether they are kept or not.
    pub logged: u64,
    /// Those that are new and kept, by number.
    pub lines: Vec<LogLine>,
    /// How far it is, if it ever said so.
    pub progress: Option<Progress>,
}

/// A line that an execution logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Where it is kept: below `FIRST_LINES + LAST_LINES` of [`crate::logs`]. A later line may come to stand in its place.
    pub place: usize,
    /// Which of the execution's lines it is, from 1.
    pub number: u64,
    /// When it was logged, by the store's clock as the instance knew it.
    pub at: DateTime<Utc>,
    /// How severe it is.
    pub level: LogLevel,
    /// Where in the code it comes from: a module's path, unless the code said something else.
    pub target: String,
    /// The message, and behind it its fields.
    pub message: String,
}

impl LogLine {
    /// How many bytes of a target are kept.
    pub const LONGEST_TARGET: usize = 200;

    /// What a line with these texts takes, about.
    #[cfg(feature = "logs")]
    pub(crate) fn bytes(target: &str, message: &str) -> usize {
        size_of::<Self>() + target.len() + message.len()
    }

    /// What it takes, about.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.target.len() + self.message.len()
    }
}

/// A request for lines.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery {
    /// Of which execution.
    pub execution_id: ExecutionId,
    /// Which of them.
    pub start: LogStart,
    /// Of this level and more severe ones.
    pub level: LogLevel,
    /// How many at most.
    pub limit: usize,
}

/// Which lines of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStart {
    /// Those after the line with this number; 0 for the first.
    After(u64),
    /// The last ones.
    Last,
}

/// Lines of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogPage {
    /// The lines, the lowest number first.
    pub lines: Vec<LogLine>,
    /// How many the execution has logged.
    pub logged: u64,
    /// How many of them are kept, of whatever level.
    pub kept: u64,
}

impl LogPage {
    /// These lines of so many.
    #[must_use]
    pub const fn new(lines: Vec<LogLine>, logged: u64, kept: u64) -> Self {
        Self { lines, logged, kept }
    }

    /// How many lines there was no room for.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.logged.saturating_sub(self.kept)
    }
}
