//! What a look at many jobs sees, and the watermarks that it moves (R12).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{DecidedRow, JobState};
use crate::identity::{JobId, RevisionId};

/// A request to look at jobs with occurrences that went by.
#[derive(Debug, Clone)]
pub struct SurveyRequest {
    /// The jobs, each once.
    pub jobs: Vec<SurveyedJob>,
    /// How far behind the store's clock the look ends: 2 s.
    pub lag: Duration,
    /// How many rows of a job are read at most.
    pub limit: usize,
}

/// A job that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyedJob {
    /// The job.
    pub job_id: JobId,
    /// Whether the rows of its occurrences are asked for; not where the caller knows that all have theirs.
    pub with_rows: bool,
}

/// What a look at many jobs saw. Nothing is locked: it may have changed since.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The store's clock.
    pub now: DateTime<Utc>,
    /// The jobs that are known, in no order.
    pub jobs: Vec<Surveyed>,
}

/// A job that was looked at.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its state.
    pub state: JobState,
    /// The rows of the schedule's occurrences in `(watermark, now - lag]`, by `scheduled_at`: own rows and range rows.
    pub rows: Vec<DecidedRow>,
    /// Whether more rows follow than were asked for.
    pub is_cut: bool,
}

/// A watermark that follows rows which are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkMove {
    /// The job.
    pub job_id: JobId,
    /// The revision by which its occurrences were found decided.
    pub revision: RevisionId,
    /// The watermark from which on they were looked at.
    pub from: DateTime<Utc>,
    /// Up to where they are decided.
    pub to: DateTime<Utc>,
}
