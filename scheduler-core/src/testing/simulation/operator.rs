//! Somebody who triggers jobs and cancels runs.

use std::sync::{Arc, Mutex, PoisonError};

use super::{machine::Machine, trace::Trace};
use crate::{
    SchedulerHandle, TriggerError, TriggerRequest,
    identity::JobId,
    occurrence::OccurrenceKey,
    status::Status,
    store::{Actor, ExecutionFilter, ExecutionQuery, PageStart},
    testing::{chance::Chance, executor::Group},
};

/// Somebody who triggers jobs and cancels runs, now and then.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) machines: Vec<Machine>,
    pub(crate) jobs: Vec<JobId>,
    /// Whether requests have idempotency keys; a store of a process's own knows nothing of another's.
    pub(crate) has_keys: bool,
    pub(crate) trace: Trace,
    /// The requests on their way.
    pub(crate) group: Group,
    /// What was accepted, and so must come to its end.
    pub(crate) accepted: Arc<Mutex<Vec<(JobId, OccurrenceKey)>>>,
}

impl Operator {
    /// Works until it is dropped.
    pub(crate) async fn work(self, mut chance: Chance) {
        let mut last_key = 0;
        loop {
            tokio::time::sleep(chance.millis(300..3_000)).await;
            let machine = chance.pick(&self.machines).clone();
            let job = chance.pick(&self.jobs).clone();
            let Some(handle) = machine.handle() else { continue };
            let operator = self.clone();
            if chance.one_in(5) {
                let chosen = chance.below(100);
                self.group.spawn(async move { operator.cancel(handle, chosen).await });
                continue;
            }
            let request = TriggerRequest::new(job).by("operator");
            let request = match chance.below(if self.has_keys { 3 } else { 1 }) {
                0 => request,
                // A repetition of the last one, by somebody who saw no answer.
                1 => request.with_idempotency_key(format!("key-{last_key}")),
                _ => {
                    last_key += 1;
                    request.with_idempotency_key(format!("key-{last_key}"))
                }
            };
            self.group.spawn(async move { operator.trigger(handle, request).await });
        }
    }

    async fn trigger(self, handle: SchedulerHandle, request: TriggerRequest) {
        match handle.trigger(request).await {
            Ok(triggered) => {
                let execution = triggered.execution;
                self.trace.note(("is triggered", &execution.job_id, &execution.occurrence, triggered.repeated));
                let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
                accepted.push((execution.job_id, execution.occurrence));
            }
            Err(TriggerError::AlreadyRunning { .. }) => self.trace.note("is running already"),
            Err(_) => self.trace.note("is not triggered"),
        }
    }

    /// Asks one of the runs to stop.
    async fn cancel(self, handle: SchedulerHandle, chosen: u64) {
        let query = ExecutionQuery {
            filter: ExecutionFilter { statuses: vec![Status::Running], ..ExecutionFilter::default() },
            start: PageStart::Offset(chosen % 5),
            limit: 1,
            count: false,
        };
        let Ok(page) = handle.executions(&query).await else { return };
        if let Some(row) = page.executions.first() {
            let is_asked = handle.cancel(row.id, &Actor::new("operator")).await.is_ok();
            self.trace.note(("is asked to stop", row.id, is_asked));
        }
    }
}
