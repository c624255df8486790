//! Reading the history.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{StoreError, Summary, SummaryQuery};
use crate::{
    execution::Execution,
    identity::{ExecutionId, InstanceId, JobId},
    occurrence::{OccurrenceKey, Origin},
    status::Status,
};

/// What ran: reads on indexes, newest first.
#[async_trait]
pub trait HistoryStore: Debug + Send + Sync + 'static {
    /// One row.
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError>;

    /// The newest attempt of an occurrence.
    async fn newest_attempt(&self, job_id: &JobId, occurrence: &OccurrenceKey)
    -> Result<Option<Execution>, StoreError>;

    /// The attempts at an occurrence, newest first, at most `most`: without what may be long.
    async fn attempts(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        most: usize,
    ) -> Result<Vec<Execution>, StoreError>;

    /// A page of rows by id, newest first.
    ///
    /// A page started by [`PageStart::Before`] never repeats or leaves out a row while rows are added; one by
    /// [`PageStart::Offset`] may shift.
    async fn executions(&self, query: &ExecutionQuery) -> Result<ExecutionPage, StoreError>;

    /// Of each job named, the newest row that has started. Jobs that never ran are left out; one trip for all.
    async fn latest(&self, jobs: &[JobId]) -> Result<Vec<Execution>, StoreError>;

    /// Of each job named, its newest rows, at most `each`, newest first: without what may be long. One trip for all, where
    /// the store can.
    async fn recent(&self, jobs: &[JobId], each: usize) -> Result<Vec<Execution>, StoreError> {
        let mut rows = Vec::new();
        for job_id in jobs {
            let filter = ExecutionFilter { job_id: Some(job_id.clone()), ..ExecutionFilter::default() };
            let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: each, count: false };
            let page = self.executions(&query).await?.executions;
            rows.extend(page.into_iter().map(Execution::shortened));
        }
        Ok(rows)
    }

    /// How the newest rows went, at most as many as the query says, whosever they are: it takes as long over any history.
    async fn summary(&self, query: &SummaryQuery) -> Result<Summary, StoreError> {
        let filter = ExecutionFilter { created_since: Some(query.since), ..ExecutionFilter::default() };
        let page = ExecutionQuery { filter, start: PageStart::Offset(0), limit: query.most, count: false };
        Ok(Summary::of(query, &self.executions(&page).await?.executions))
    }

    /// Deletes rows that nobody needs (R21), the oldest first, at most as many as the request's limit: final ones, of
    /// occurrences without an open attempt, that were made before the bound and whose nominal instant lies before it; of a
    /// schedule's occurrences only those at or below the watermark. What others have locked is left for the next time.
    ///
    /// The horizon of each job that loses rows moves to the bound first: a backfill below it is refused from then on.
    ///
    /// # Cancel safety
    /// A dropped call may have deleted all of its rows, or moved horizons alone; repeat it.
    async fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError>;
}

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct ExecutionFilter {
    /// Of this job alone.
    pub job_id: Option<JobId>,
    /// Of these jobs alone, such as those that somebody may see; `None` for all.
    pub among: Option<Vec<JobId>>,
    /// With one of these statuses; empty for all.
    pub statuses: Vec<Status>,
    /// With one of these origins; empty for all.
    pub origins: Vec<Origin>,
    /// Run by this instance.
    pub instance: Option<InstanceId>,
    /// Asked for by this caller.
    pub triggered_by: Option<String>,
    /// Made at or after this instant.
    pub created_since: Option<DateTime<Utc>>,
    /// Made before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// Made, started or ended at or after this instant, by the store's clock.
    pub changed_since: Option<DateTime<Utc>>,
}

impl ExecutionFilter {
    /// Whether a row is one of these.
    #[must_use]
    pub fn lets_through(&self, row: &Execution) -> bool {
        let changed_at = [Some(row.created_at), row.started_at, row.finished_at].into_iter().flatten().max();
        self.job_id.as_ref().is_none_or(|job_id| *job_id == row.job_id)
            && self.among.as_ref().is_none_or(|jobs| jobs.contains(&row.job_id))
            && (self.statuses.is_empty() || self.statuses.contains(&row.status))
            && (self.origins.is_empty() || self.origins.contains(&row.origin))
            && self.instance.is_none_or(|instance| row.instance == Some(instance))
            && self.triggered_by.as_ref().is_none_or(|who| row.triggered_by.as_ref() == Some(who))
            && self.created_since.is_none_or(|since| row.created_at >= since)
            && self.created_before.is_none_or(|before| row.created_at < before)
            && self.changed_since.is_none_or(|since| changed_at >= Some(since))
    }
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageStart {
    /// After this many rows.
    Offset(u64),
    /// At the newest row older than this one.
    Before(ExecutionId),
}

/// A request for a page.
#[derive(Debug, Clone)]
pub struct ExecutionQuery {
    /// Which rows.
    pub filter: ExecutionFilter,
    /// Where the page starts.
    pub start: PageStart,
    /// How many rows at most.
    pub limit: usize,
    /// Whether to count all rows of the filter, which reads them.
    pub count: bool,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExecutionPage {
    /// The rows, newest first.
    pub executions: Vec<Execution>,
    /// How many rows the filter has, if they were counted.
    pub total: Option<u64>,
}

impl ExecutionPage {
    /// A page of these rows.
    #[must_use]
    pub const fn new(executions: Vec<Execution>, total: Option<u64>) -> Self {
        Self { executions, total }
    }
}

/// A request to delete rows that nobody needs.
#[derive(Debug, Clone)]
pub struct PruneRequest {
    /// Of this job alone; `None` for all.
    pub job_id: Option<JobId>,
    /// The bound, exclusive. At least the job's catch-up window, its start deadline and a day ago, else an occurrence that
    /// may still be decided could lose its rows: see [`crate::job::JobSettings::prunable_before`].
    pub before: DateTime<Utc>,
    /// How many rows at most.
    pub limit: usize,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// How many rows.
    pub rows: usize,
    /// Whether there may be more of them.
    pub more: bool,
}

impl Pruned {
    /// So many rows.
    #[must_use]
    pub const fn new(rows: usize, more: bool) -> Self {
        Self { rows, more }
    }
}
