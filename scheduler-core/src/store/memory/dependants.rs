//! What runs after an occurrence that is over (R24).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::state::State;
use crate::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::Announcement,
};

/// How the jobs stand that a dependant runs after, for one root occurrence.
enum Upstreams {
    /// One of them is not over, or has no row yet.
    Open,
    /// All are over, and one of them has not succeeded.
    Failed,
    /// All have succeeded, and answered this.
    Succeeded(Map<String, Value>),
}

impl State {
    /// Notes what a job's current revision runs after.
    pub(super) fn note_upstreams(&mut self, announcement: &Announcement) {
        let job_id = &announcement.job_id;
        let upstreams = announcement.upstreams();
        for upstream in &upstreams {
            self.dependants.entry(upstream.clone()).or_default().push(job_id.clone());
        }
        let job = self.jobs.get_mut(job_id).expect("it was announced");
        let before = std::mem::replace(&mut job.upstreams, upstreams.into());
        for upstream in &before {
            let Some(after) = self.dependants.get_mut(upstream) else { continue };
            // One of those that were just added stays.
            if let Some(old) = after.iter().position(|dependant| dependant == job_id) {
                after.remove(old);
            }
            if after.is_empty() {
                self.dependants.remove(upstream);
            }
        }
    }

    /// Inserts what follows on an occurrence, if it is over, down the chain as far as nothing runs.
    pub(super) fn follow_up(&mut self, ended: ExecutionId, now: DateTime<Utc>) {
        let mut over = vec![ended];
        while let Some(row) = over.pop().and_then(|id| self.execution(id)) {
            let Some(dependants) = self.dependants.get(&row.job_id).cloned() else { continue };
            let row = row.clone();
            for dependant in dependants {
                over.extend(self.insert_dependant(&dependant, &row, now));
            }
        }
    }

    /// The row of one job that runs after an occurrence; answers it where it is over at once.
    fn insert_dependant(&mut self, job_id: &JobId, ended: &Execution, now: DateTime<Utc>) -> Option<ExecutionId> {
        let job = self.jobs.get(job_id)?;
        if !job.state.enabled || job.announcers.is_empty() {
            return None;
        }
        let retries = job.current_revision().policies.get("retries").and_then(Value::as_u64).unwrap_or(0);
        let results = match self.upstreams(job_id, &ended.occurrence.root()) {
            Upstreams::Open => return None,
            Upstreams::Failed => None,
            Upstreams::Succeeded(results) => Some(results),
        };
        let key = OccurrenceKey::dependant(&ended.occurrence);
        let before = match self.newest_attempt(job_id, &key) {
            None => 0,
            Some(own) if own.reason == Some(Reason::Upstream) && results.is_some() => own.attempt,
            Some(_) => return None,
        };
        let is_over = results.is_none();
        let mut row = self.draft(job_id, &key, Origin::Dependency, ended.scheduled_at, now);
        row.attempt = before + 1;
        row.max_attempts = before.saturating_add(u32::try_from(retries + 1).unwrap_or(u32::MAX));
        row.not_before = now.max(ended.scheduled_at);
        row.triggered_by.clone_from(&ended.triggered_by);
        row.trace_context.clone_from(&ended.trace_context);
        row.upstream_results = results.map(Value::Object);
        if is_over {
            (row.status, row.reason, row.finished_at) = (Status::Skipped, Some(Reason::Upstream), Some(now));
        }
        let id = self.insert(row, None);
        is_over.then_some(id)
    }

    fn upstreams(&self, job_id: &JobId, root: &OccurrenceKey) -> Upstreams {
        let mut results = Map::new();
        let mut has_failed = false;
        for upstream in self.jobs[job_id].upstreams.iter() {
            let keys = [root.clone(), OccurrenceKey::dependant(root)];
            let newest = keys.iter().filter_map(|key| self.newest_attempt(upstream, key)).max_by_key(|row| row.id);
            match newest {
                None => return Upstreams::Open,
                Some(row) if !row.status.is_final() => return Upstreams::Open,
                Some(row) if row.status == Status::Succeeded => {
                    results.insert(upstream.to_string(), row.result_data.clone().unwrap_or(Value::Null));
                }
                Some(_) => has_failed = true,
            }
        }
        if has_failed { Upstreams::Failed } else { Upstreams::Succeeded(results) }
    }
}
