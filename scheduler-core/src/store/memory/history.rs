//! Reads of what ran.

use std::{collections::BTreeSet, ops::Bound::Excluded, ops::Bound::Unbounded};

use super::state::State;
use crate::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    occurrence::OccurrenceKey,
    store::{ExecutionFilter, ExecutionPage, ExecutionQuery, PageStart, Summary, SummaryQuery},
};

impl State {
    pub(super) fn newest_attempt(&self, job_id: &JobId, occurrence: &OccurrenceKey) -> Option<&Execution> {
        self.execution(*self.attempts(job_id, occurrence).last()?)
    }

    pub(super) fn newest_attempts(&self, job_id: &JobId, occurrence: &OccurrenceKey, most: usize) -> Vec<Execution> {
        let ids = self.attempts(job_id, occurrence).iter().rev().take(most);
        ids.filter_map(|id| self.execution(*id)).cloned().map(Execution::shortened).collect()
    }

    pub(super) fn summary(&self, query: &SummaryQuery) -> Summary {
        let filter = ExecutionFilter { created_since: Some(query.since), ..ExecutionFilter::default() };
        Summary::of(query, &self.newest_first(&filter, None).take(query.most).collect::<Vec<_>>())
    }

    pub(super) fn page(&self, query: &ExecutionQuery) -> ExecutionPage {
        let (before, skipped) = match query.start {
            PageStart::Offset(offset) => (None, usize::try_from(offset).unwrap_or(usize::MAX)),
            PageStart::Before(id) => (Some(id), 0),
        };
        let rows = self.newest_first(&query.filter, before).skip(skipped).take(query.limit);
        let executions = rows.map(|row| self.said.with_progress(row)).collect();
        let total = query.count.then(|| self.newest_first(&query.filter, None).count() as u64);
        ExecutionPage::new(executions, total)
    }

    pub(super) fn latest(&self, jobs: &[JobId]) -> Vec<Execution> {
        let latest = jobs.iter().filter_map(|job_id| self.execution(self.jobs.get(job_id)?.latest?));
        latest.map(|row| self.said.with_progress(row)).collect()
    }

    /// The rows of a filter, newest first, from below `before` on.
    fn newest_first<'a>(
        &'a self,
        filter: &'a ExecutionFilter,
        before: Option<ExecutionId>,
    ) -> Box<dyn Iterator<Item = &'a Execution> + 'a> {
        static NONE: BTreeSet<ExecutionId> = BTreeSet::new();
        let below = (Unbounded, before.map_or(Unbounded, Excluded));
        let is_wanted = |row: &&Execution| filter.lets_through(row);
        match &filter.job_id {
            None => Box::new(self.rows.range(below).rev().map(|(_, row)| &*row.execution).filter(is_wanted)),
            Some(job_id) => {
                let ids = self.jobs.get(job_id).map_or(&NONE, |job| &job.rows);
                Box::new(ids.range(below).rev().filter_map(|id| self.execution(*id)).filter(is_wanted))
            }
        }
    }
}
