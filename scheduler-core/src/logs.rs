//! What bodies log, kept with their executions.
//!
//! The events of `tracing` that happen within an execution's span are kept in the store and shown with the execution: those
//! of the body, of what it calls, of spans within, and of tasks that it spawns with its span
//! (`tokio::spawn(work.in_current_span())`). For that, the service adds `logs::layer` (behind the feature `logs`) to its
//! subscriber:
//!
#![cfg_attr(feature = "logs", doc = "```")]
#![cfg_attr(not(feature = "logs"), doc = "```ignore")]
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let subscriber = tracing_subscriber::registry().with(scheduler_core::logs::layer());
//! // … with whatever else it has, such as `tracing_subscriber::fmt::layer()`, and then `.init()`.
//! # drop(subscriber);
//! ```
//!
//! A filter of the whole subscriber, such as an `EnvFilter` that is a layer of its own, also takes lines from here; one of a
//! single layer (`fmt::layer().with_filter(…)`) does not.
//!
//! # How much is kept
//!
//! Lines of the level that `SchedulerBuilder::capture_logs` says and more severe ones; `info` unless told. Of each execution
//! the first [`FIRST_LINES`], or as many of them as have [`FIRST_BYTES`], and beyond those the last [`LAST_LINES`], a line
//! being at most [`LONGEST_LINE`] bytes: so what began a run and what ended it are both there. What lies between is counted,
//! and told. An instance holds at most 32 MiB of lines that it could not write yet; beyond that they are counted, too.
//!
//! Lines are written each second while an execution runs, and the rest as it ends, by connections of their own: neither the
//! body nor its outcome waits for them. While the store is away they wait within these bounds; an instance that dies takes
//! those of its last second along.
//!
//! Passwords of URLs, bearer tokens, and fields named like secrets are not kept, nor are control characters but tabs and ends
//! of lines.

#[cfg(feature = "logs")]
mod layer;
#[cfg(feature = "logs")]
mod line;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

#[cfg(feature = "logs")]
pub use layer::layer;
#[cfg(feature = "logs")]
pub(crate) use layer::{hear, heard};

use crate::occurrence::{UnknownWord, words};

/// How many of an execution's lines are kept from its first on.
pub const FIRST_LINES: usize = 900;
/// How many bytes those may have together.
pub const FIRST_BYTES: usize = 512 * 1024;
/// How many of the last lines are kept beyond them.
pub const LAST_LINES: usize = 100;
/// How many bytes of a line are kept; a longer one is cut, and says how long it was.
pub const LONGEST_LINE: usize = 4 * 1024;

words! {
    /// How severe a line is.
    LogLevel: "level" {
        /// What went wrong.
        Error = "error",
        /// What may go wrong.
        Warn = "warn",
        /// What is done.
        Info = "info",
        /// How it is done.
        Debug = "debug",
        /// How, to the last step.
        Trace = "trace",
    }
}

impl LogLevel {
    /// Whether a line of another level is kept or shown where this is the level: one as severe, or more.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        other as u8 <= self as u8
    }
}

/// Raises what is heard to this level.
#[cfg(not(feature = "logs"))]
pub(crate) const fn hear(_: LogLevel) {}

/// Opens an execution's span; nobody hears what happens in it.
#[cfg(not(feature = "logs"))]
pub(crate) fn heard(
    _: Option<LogLevel>,
    _: &std::sync::Arc<crate::engine::Reporter>,
    open: impl FnOnce() -> tracing::Span,
) -> (tracing::Span, bool) {
    (open(), false)
}
