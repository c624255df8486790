//! How the newest runs went, in a few numbers.

use std::borrow::Borrow;

use chrono::{DateTime, Utc};

use crate::{execution::Execution, identity::JobId, occurrence::Origin, status::Status};

/// Which rows are summed up.
#[derive(Debug, Clone)]
pub struct SummaryQuery {
    /// Of these jobs alone, such as those that somebody may see; `None` for all.
    pub among: Option<Vec<JobId>>,
    /// Made at or after this instant.
    pub since: DateTime<Utc>,
    /// How many rows of all jobs are looked at, the newest ones.
    pub most: usize,
}

/// How rows went.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// How many rows were looked at, those of other jobs too.
    pub rows: u64,
    /// Whether these were all since the instant that was asked for.
    pub is_whole: bool,
    /// How many runs have ended.
    pub ended: u64,
    /// How many of these succeeded.
    pub succeeded: u64,
    /// Of the first attempts that a schedule started, the seconds from when it was due to its start within which 95 of 100
    /// started; `None` where there was none.
    pub start_lag_p95: Option<f64>,
}

impl Summary {
    /// The numbers as a store has them.
    #[must_use]
    pub const fn new(rows: u64, is_whole: bool, ended: u64, succeeded: u64, start_lag_p95: Option<f64>) -> Self {
        Self { rows, is_whole, ended, succeeded, start_lag_p95 }
    }

    /// Of the newest rows since the query's instant, at most as many as it says.
    pub fn of<E: Borrow<Execution>>(query: &SummaryQuery, newest: &[E]) -> Self {
        let is_wanted = |row: &&Execution| query.among.as_ref().is_none_or(|jobs| jobs.contains(&row.job_id));
        let wanted = || newest.iter().map(Borrow::borrow).filter(is_wanted);
        let ended = || wanted().filter(|row| row.started_at.is_some() && row.status.is_final());
        let mut lags: Vec<f64> = wanted()
            .filter(|row| row.origin == Origin::Schedule && row.attempt == 1)
            .filter_map(Execution::start_lag)
            .collect();
        lags.sort_by(f64::total_cmp);
        Self {
            rows: newest.len() as u64,
            is_whole: newest.len() < query.most,
            ended: ended().count() as u64,
            succeeded: ended().filter(|row| row.status == Status::Succeeded).count() as u64,
            // The smallest of them that 95 of 100 do not exceed.
            start_lag_p95: (lags.len() * 95).div_ceil(100).checked_sub(1).map(|place| lags[place]),
        }
    }
}
