//! Everything the store holds, and the indexes that follow each row.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    audit::Audit,
    control::{Instance, SharedPolicies},
    job::JobRecord,
    report::Said,
};
use crate::{
    execution::Execution,
    identity::{ClaimId, ExecutionId, FencingToken, InstanceId, JobId, RevisionId},
    occurrence::{OccurrenceKey, Origin},
    status::Status,
    store::{NextAttempt, PruneRequest, Pruned, Report},
};

/// The store's content. Each method is one transaction; the caller holds the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) jobs: HashMap<JobId, JobRecord>,
    pub(super) rows: BTreeMap<ExecutionId, Row>,
    pub(super) leases: BTreeMap<ExecutionId, Lease>,
    pub(super) claims: HashMap<ClaimId, ExecutionId>,
    /// The jobs that run after each job that any runs after.
    pub(super) dependants: HashMap<JobId, Vec<JobId>>,
    /// Jobs with pending rows.
    pub(super) waiting: BTreeSet<JobId>,
    pub(super) instances: HashMap<InstanceId, Instance>,
    pub(super) shared: SharedPolicies,
    pub(super) audit: Audit,
    pub(super) said: Said,
    /// Final rows, oldest first: what may be dropped.
    finals: BTreeSet<ExecutionId>,
    history_limit: usize,
    last_execution: i64,
    last_fence: i64,
    last_revision: i64,
}

/// A row, and what only the store knows of it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) execution: Box<Execution>,
    pub(super) request_hash: Option<Box<str>>,
}

/// A running row's lease (R3).
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) fence: FencingToken,
    pub(super) expires_at: DateTime<Utc>,
    /// For how long it was last given.
    pub(super) ttl: Duration,
    pub(super) cancel_requested: bool,
    pub(super) rerun_on_crash: bool,
}

/// What makes a row run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) claim_id: ClaimId,
    pub(super) instance: InstanceId,
    /// The instance in which the key ends, where each has its own.
    pub(super) for_instance: Option<InstanceId>,
    pub(super) holds_key: bool,
    pub(super) rerun_on_crash: bool,
    pub(super) lease: Duration,
}

impl State {
    pub(super) fn new(history_limit: usize) -> Self {
        Self {
            jobs: HashMap::new(),
            rows: BTreeMap::new(),
            leases: BTreeMap::new(),
            claims: HashMap::new(),
            dependants: HashMap::new(),
            waiting: BTreeSet::new(),
            instances: HashMap::new(),
            shared: SharedPolicies::default(),
            audit: Audit::default(),
            said: Said::default(),
            finals: BTreeSet::new(),
            history_limit,
            last_execution: 0,
            last_fence: 0,
            last_revision: 0,
        }
    }

    pub(super) fn limit_history(&mut self, rows: usize) {
        self.history_limit = rows;
    }

    pub(super) fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.rows.get(&id).map(|row| &*row.execution)
    }

    /// A row as it is read.
    pub(super) fn shown(&self, id: ExecutionId) -> Option<Execution> {
        self.execution(id).map(|row| self.said.with_progress(row))
    }

    /// Keeps what an execution said, if its row is there.
    pub(super) fn report(&mut self, report: &Report) {
        if self.rows.contains_key(&report.execution_id) {
            self.said.keep(report);
        }
    }

    /// The attempts at an occurrence, first to last.
    pub(super) fn attempts(&self, job_id: &JobId, occurrence: &OccurrenceKey) -> &[ExecutionId] {
        self.jobs.get(job_id).and_then(|job| job.attempts.get(occurrence)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn next_revision(&mut self) -> RevisionId {
        self.last_revision += 1;
        RevisionId(self.last_revision)
    }

    /// A row that is not in the store yet.
    pub(super) fn draft(
        &mut self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        origin: Origin,
        scheduled_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Execution {
        self.last_execution += 1;
        let id = ExecutionId(self.last_execution);
        Execution::new(id, job_id.clone(), occurrence.clone(), origin, Status::Pending, scheduled_at, now)
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn put(&mut self, mut execution: Execution) -> ExecutionId {
        self.last_execution += 1;
        execution.id = ExecutionId(self.last_execution);
        self.insert(execution, None)
    }

    /// Adds a row of a job that is known.
    pub(super) fn insert(&mut self, execution: Execution, request_hash: Option<&str>) -> ExecutionId {
        let id = execution.id;
        let job = self.jobs.get_mut(&execution.job_id).expect("rows are of jobs that were announced");
        job.rows.insert(id);
        job.attempts.entry(execution.occurrence.clone()).or_default().push(id);
        if execution.occurrence.scheduled_at().is_some() {
            job.note_decided(execution.scheduled_at, execution.missed_from);
        }
        if execution.missed_from.is_some() {
            job.newest_range = Some(id);
        }
        let row = Row { execution: Box::new(execution), request_hash: request_hash.map(Into::into) };
        self.index(&row.execution);
        self.rows.insert(id, row);
        id
    }

    /// Changes a row, and the indexes with it.
    ///
    /// The closure must leave id, job and occurrence alone.
    pub(super) fn change(&mut self, id: ExecutionId, change: impl FnOnce(&mut Execution)) {
        let Some(mut row) = self.rows.remove(&id) else { return };
        self.unindex(&row.execution);
        change(&mut row.execution);
        self.index(&row.execution);
        self.rows.insert(id, row);
    }

    /// Makes a row run, with a fence above all before and a lease.
    pub(super) fn start(&mut self, id: ExecutionId, start: &Start, now: DateTime<Utc>) -> FencingToken {
        self.last_fence += 1;
        let fence = FencingToken(self.last_fence);
        self.change(id, |row| {
            row.status = Status::Running;
            // A claim may come a little before the instant at which its body starts.
            row.started_at = Some(now.max(row.not_before));
            row.holds_key = start.holds_key;
            row.queued = false;
            row.for_instance = start.for_instance;
            row.claim_id = Some(start.claim_id);
            row.fence = Some(fence);
            row.instance = Some(start.instance);
        });
        let lease = Lease {
            fence,
            expires_at: later(now, start.lease),
            ttl: start.lease,
            cancel_requested: false,
            rerun_on_crash: start.rerun_on_crash,
        };
        self.leases.insert(id, lease);
        fence
    }

    /// Inserts the attempt that follows one that has just ended.
    ///
    /// It holds the key only if the ended one did: one that ran beside others can't pass on what it had not.
    pub(super) fn follow(
        &mut self,
        ended: &Execution,
        held_key: bool,
        next: NextAttempt,
        now: DateTime<Utc>,
    ) -> ExecutionId {
        let mut row = self.draft(&ended.job_id, &ended.occurrence, ended.origin, ended.scheduled_at, now);
        row.attempt = ended.attempt + 1;
        row.max_attempts = ended.max_attempts;
        row.not_before = later(now, next.after);
        row.holds_key = next.holds_key && held_key;
        row.for_instance = ended.for_instance;
        row.triggered_by.clone_from(&ended.triggered_by);
        row.params.clone_from(&ended.params);
        row.upstream_results.clone_from(&ended.upstream_results);
        row.trace_context.clone_from(&ended.trace_context);
        self.insert(row, None)
    }

    fn index(&mut self, row: &Execution) {
        let job = self.jobs.get_mut(&row.job_id).expect("rows are of jobs that were announced");
        if row.holds_key {
            job.holders.set(row.for_instance, row.id);
        }
        if row.queued {
            job.queued.set(row.for_instance, row.id);
        }
        if row.status == Status::Pending {
            job.pending.insert((row.scheduled_at, row.id));
            if job.pending.len() == 1 {
                self.waiting.insert(row.job_id.clone());
            }
        }
        if row.started_at.is_some() {
            job.latest = job.latest.max(Some(row.id));
        }
        if row.status.is_final() {
            self.finals.insert(row.id);
        }
        if let Some(claim_id) = row.claim_id {
            self.claims.insert(claim_id, row.id);
        }
    }

    fn unindex(&mut self, row: &Execution) {
        let job = self.jobs.get_mut(&row.job_id).expect("rows are of jobs that were announced");
        job.holders.free(row.id);
        job.queued.free(row.id);
        if job.pending.remove(&(row.scheduled_at, row.id)) && job.pending.is_empty() {
            self.waiting.remove(&row.job_id);
        }
        self.finals.remove(&row.id);
        if let Some(claim_id) = row.claim_id {
            self.claims.remove(&claim_id);
        }
    }

    /// Drops the oldest final rows beyond the limit, but for those of occurrences with an open attempt.
    ///
    /// At the end of a transaction, not within: what follows on a row that has just ended still needs it.
    pub(super) fn prune(&mut self) {
        while self.finals.len() > self.history_limit {
            let Some(oldest) = self.finals.iter().copied().find(|id| self.is_over(*id)) else { return };
            let row = self.execution(oldest).expect("final rows are indexed while they are there");
            let (job_id, above) = (row.job_id.clone(), row.scheduled_at + TimeDelta::milliseconds(1));
            if row.occurrence.scheduled_at().is_some() {
                self.move_horizon(&job_id, above);
            }
            self.drop_row(oldest);
        }
    }

    /// Drops final rows that nobody needs, oldest first (R21).
    pub(super) fn prune_before(&mut self, request: &PruneRequest) -> Pruned {
        let is_old = |row: &Execution| {
            let watermark = self.jobs.get(&row.job_id).map(|job| job.state.watermark);
            request.job_id.as_ref().is_none_or(|job_id| row.job_id == *job_id)
                && row.created_at < request.before
                && row.scheduled_at < request.before
                // A request's instant has nothing to do with the schedule's watermark.
                && (row.occurrence.scheduled_at().is_none() || watermark.is_none_or(|mark| row.scheduled_at <= mark))
        };
        let old = self.finals.iter().filter(|id| self.execution(**id).is_some_and(is_old) && self.is_over(**id));
        let old: Vec<ExecutionId> = old.copied().take(request.limit).collect();
        for id in &old {
            let row = self.execution(*id).expect("it was found above");
            if row.occurrence.scheduled_at().is_some() {
                let job_id = row.job_id.clone();
                self.move_horizon(&job_id, request.before);
            }
            self.drop_row(*id);
        }
        Pruned::new(old.len(), old.len() == request.limit)
    }

    /// Notes that occurrences below an instant may have lost their rows.
    fn move_horizon(&mut self, job_id: &JobId, to: DateTime<Utc>) {
        let job = self.jobs.get_mut(job_id).expect("rows are of jobs that were announced");
        job.state.prune_horizon = job.state.prune_horizon.max(Some(to));
    }

    fn is_over(&self, id: ExecutionId) -> bool {
        let row = self.execution(id).expect("final rows are indexed while they are there");
        let last = self.attempts(&row.job_id, &row.occurrence).last().and_then(|last| self.execution(*last));
        last.is_none_or(|last| last.status.is_final())
    }

    fn drop_row(&mut self, id: ExecutionId) {
        let Some(Row { execution: row, .. }) = self.rows.remove(&id) else { return };
        self.said.forget(id);
        self.unindex(&row);
        let job = self.jobs.get_mut(&row.job_id).expect("rows are of jobs that were announced");
        job.rows.remove(&id);
        if let Some(attempts) = job.attempts.get_mut(&row.occurrence) {
            attempts.retain(|attempt| *attempt != id);
            if attempts.is_empty() {
                job.attempts.remove(&row.occurrence);
            }
        }
        job.newest_range.take_if(|range| *range == id);
        if job.latest == Some(id) {
            let has_started =
                |id: &&ExecutionId| self.rows.get(id).is_some_and(|row| row.execution.started_at.is_some());
            job.latest = job.rows.iter().rev().find(has_started).copied();
        }
    }
}

/// An instant this much later, or the last one there is.
pub(super) fn later(at: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(duration)
        .ok()
        .and_then(|delta| at.checked_add_signed(delta))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
