//! Which log lines of executions are kept, and whether anybody hears them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tracing::{Span, warn};

use super::Reporter;
use crate::logs::{self, LogLevel};

/// Which log lines are kept.
#[derive(Debug)]
pub(crate) struct Capture {
    level: Option<LogLevel>,
    /// Whether somebody asked for it, and is to know where it comes to nothing.
    is_asked_for: bool,
    is_deafness_told: AtomicBool,
}

impl Capture {
    pub(crate) fn new(level: Option<LogLevel>, is_asked_for: bool) -> Self {
        Self { level, is_asked_for, is_deafness_told: AtomicBool::new(false) }
    }

    /// Has events heard up to the level.
    pub(super) fn start(&self) {
        if let Some(level) = self.level {
            logs::hear(level);
        }
    }

    /// Opens an execution's span, in which lines go to its reporter.
    ///
    /// That nobody hears them is known only from a span, and one of no execution would be exported as if it were one: so it
    /// is said at the first.
    pub(super) fn open(&self, reporter: &Arc<Reporter>, open: impl FnOnce() -> Span) -> Span {
        let (span, is_heard) = logs::heard(self.level, reporter, open);
        let is_told = !self.is_asked_for || self.level.is_none() || is_heard;
        if !is_told && !self.is_deafness_told.swap(true, Ordering::Relaxed) {
            warn!(
                "log lines of executions are to be kept, and nobody hears them: add `logs::layer()` to the subscriber, and let it have this crate's spans of level info"
            );
        }
        span
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::new(Some(LogLevel::Info), false)
    }
}
