//! A job as the pages have it: its definition, and how it stands.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{JobStatus, execution::Execution, identity::JobId, job::Job, status::Status};

use crate::{
    Permission,
    dashboard::{Dashboard, look, visitor::Visitor},
    error::ApiError,
};

/// What is due is decided within seconds, or something is wrong.
const OVERDUE: TimeDelta = TimeDelta::seconds(10);

/// A job's row.
pub(in crate::dashboard) struct Row {
    pub(in crate::dashboard) job: Job,
    /// Whether the store said how it stands.
    pub(super) is_known: bool,
    pub(in crate::dashboard) is_paused: bool,
    pub(super) next: Option<DateTime<Utc>>,
    /// The newest row that has started.
    pub(super) latest: Option<Execution>,
    /// Its newest executions, newest first.
    pub(in crate::dashboard) recent: Vec<Execution>,
    /// Whether there may be more of them.
    pub(in crate::dashboard) has_more: bool,
    pub(super) executes: bool,
    pub(super) manages: bool,
    pub(super) is_overdue: bool,
}

impl Row {
    pub(super) fn id(&self) -> &JobId {
        &self.job.settings().id
    }

    /// Whether its schedule starts what is due.
    pub(in crate::dashboard) fn runs(&self) -> bool {
        self.job.settings().enabled && !self.is_paused
    }

    /// Whether the last run that ended did not end well.
    pub(super) fn is_failing(&self) -> bool {
        let ended = self.recent.iter().find(|row| row.started_at.is_some() && row.status.is_final());
        ended.is_some_and(|row| look::class(row.status) == "bad")
    }

    pub(super) fn shows(&self, state: &str) -> bool {
        match state {
            "running" => self.recent.iter().any(|row| row.status == Status::Running),
            "failing" => self.is_failing(),
            "paused" => self.is_paused,
            "overdue" => self.is_overdue,
            _ => true,
        }
    }

    fn of(status: JobStatus, recent: Vec<Execution>, each: usize, now: DateTime<Utc>) -> Self {
        let settings = status.job.settings();
        let undecided = status.state.as_ref().filter(|state| state.pause.is_none() && settings.enabled);
        let owed = undecided.and_then(|state| settings.trigger.next_after(state.watermark));
        Self {
            is_known: true,
            is_paused: status.is_paused(),
            next: status.next_run.map(|at| at.to_utc()),
            is_overdue: owed.is_some_and(|at| at < now - OVERDUE),
            has_more: recent.len() == each,
            job: status.job,
            latest: status.latest_execution,
            recent,
            executes: false,
            manages: false,
        }
    }
}

/// The jobs that a visitor sees, with at most so many executions each: three reads of the store for all of them.
pub(in crate::dashboard) async fn rows(
    dashboard: &Dashboard,
    visitor: &Visitor,
    each: usize,
) -> Result<Vec<Row>, ApiError> {
    let handle = &dashboard.api.handle;
    let seen = visitor.caller.scope().await?;
    let is_seen = |id: &JobId| seen.as_ref().is_none_or(|seen| seen.contains(id));
    let ids = handle.definitions().iter().map(|job| job.settings().id.clone());
    let ids: Vec<_> = ids.filter(is_seen).collect();
    let (jobs, mut recent) = tokio::try_join!(handle.jobs(), handle.recent(&ids, each))?;
    let now = handle.now();
    let mut rows = Vec::with_capacity(ids.len());
    for status in jobs.into_iter().filter(|status| is_seen(&status.job.settings().id)) {
        let of_job;
        (of_job, recent) = recent.into_iter().partition(|row| row.job_id == status.job.settings().id);
        let mut row = Row::of(status, of_job, each, now);
        row.executes = visitor.caller.may_do(Permission::Execute, row.id()).await?;
        row.manages = visitor.caller.may_do(Permission::Manage, row.id()).await?;
        rows.push(row);
    }
    Ok(rows)
}

/// The same as far as they are known while the store is away.
pub(super) async fn without_store(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<Row>, ApiError> {
    let handle = &dashboard.api.handle;
    let mut rows = Vec::new();
    for job in handle.definitions() {
        if !visitor.caller.sees(&job.settings().id).await? {
            continue;
        }
        rows.push(Row {
            next: job.settings().trigger.next_after(handle.now()).filter(|_| job.settings().enabled),
            job: job.clone(),
            is_known: false,
            is_paused: false,
            latest: None,
            recent: Vec::new(),
            has_more: false,
            executes: false,
            manages: false,
            is_overdue: false,
        });
    }
    rows.sort_by(|a, b| a.id().cmp(b.id()));
    Ok(rows)
}
