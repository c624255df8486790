//! Somebody who triggers, cancels, pauses, skips, retries and backfills.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{machine::Machine, time::MachineClock, trace::Trace};
use crate::{
    Backfill, SchedulerHandle, TriggerError, TriggerRequest,
    clock::Clock as _,
    identity::{ExecutionId, JobId},
    occurrence::OccurrenceKey,
    status::Status,
    store::{Actor, ExecutionFilter, ExecutionQuery, PageStart},
    testing::{chance::Chance, executor::Group},
};

/// Somebody who meddles with jobs now and then.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) machines: Vec<Machine>,
    pub(crate) jobs: Vec<JobId>,
    /// The store's clock.
    pub(crate) clock: MachineClock,
    /// Whether all machines share a store: where they don't, an idempotency key, a pause or a backfill is one process's.
    pub(crate) is_shared: bool,
    pub(crate) trace: Trace,
    /// The requests on their way.
    pub(crate) group: Group,
    /// What was accepted, and so must come to its end.
    pub(crate) accepted: Arc<Mutex<Vec<(JobId, OccurrenceKey)>>>,
}

/// What is asked for.
#[derive(Debug, Clone, Hash)]
enum Errand {
    Trigger {
        key: Option<u64>,
    },
    /// One of the newest runs.
    Cancel {
        nth: u64,
    },
    /// For so long, unless resumed before.
    Pause {
        until: DateTime<Utc>,
        resumed_after: Duration,
    },
    Skip,
    /// One of the newest rows that did not succeed.
    Retry {
        nth: u64,
    },
    Backfill {
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    },
}

impl Operator {
    /// Works until it is dropped.
    pub(crate) async fn work(self, mut chance: Chance) {
        let mut last_key = 0;
        loop {
            tokio::time::sleep(chance.millis(200..2_000)).await;
            let machine = chance.pick(&self.machines).clone();
            let job = chance.pick(&self.jobs).clone();
            let errand = self.draw(&mut chance, &mut last_key);
            if let Some(handle) = machine.handle() {
                self.trace.note(("is asked", &job, &errand));
                let operator = self.clone();
                self.group.spawn(async move { operator.run(handle, job, errand).await });
            }
        }
    }

    fn draw(&self, chance: &mut Chance, last_key: &mut u64) -> Errand {
        let now = self.clock.now();
        let drawn = chance.below(if self.is_shared { 12 } else { 3 });
        match drawn {
            0 => Errand::Cancel { nth: chance.below(5) },
            1 | 2 => Errand::Trigger { key: None },
            // A repetition of the last one, by somebody who saw no answer.
            3 => Errand::Trigger { key: Some(*last_key) },
            4..=6 => {
                *last_key += 1;
                Errand::Trigger { key: Some(*last_key) }
            }
            7 | 8 => Errand::Pause { until: now + chance.millis(500..6_000), resumed_after: chance.millis(200..9_000) },
            9 => Errand::Skip,
            10 => Errand::Retry { nth: chance.below(5) },
            _ => {
                let from = now - chance.millis(1_000..20_000);
                Errand::Backfill { from, to: from + chance.millis(1_000..4_000) }
            }
        }
    }

    async fn run(self, handle: SchedulerHandle, job: JobId, errand: Errand) {
        let actor = Actor::new("operator");
        let is_done = match &errand {
            Errand::Trigger { key } => self.trigger(&handle, job.clone(), *key).await,
            Errand::Cancel { nth } => match newest(&handle, &[Status::Running], *nth).await {
                Some(id) => handle.cancel(id, &actor).await.is_ok(),
                None => false,
            },
            Errand::Pause { until, resumed_after } => {
                let is_paused = handle.pause(&job, &actor, Some(*until)).await.is_ok();
                tokio::time::sleep(*resumed_after).await;
                is_paused | handle.resume(&job, &actor).await.is_ok()
            }
            Errand::Skip => match handle.next(&job, 1).await.ok().and_then(|next| next.first().copied()) {
                Some(next) => handle.skip(&job, next.to_utc(), &actor).await.is_ok(),
                None => false,
            },
            Errand::Retry { nth } => {
                let unsuccessful = [Status::Failed, Status::TimedOut, Status::Cancelled, Status::Abandoned];
                match newest(&handle, &unsuccessful, *nth).await {
                    Some(id) => handle.retry(id, &actor).await.is_ok(),
                    None => false,
                }
            }
            Errand::Backfill { from, to } => {
                handle.backfill(&Backfill::new(job.clone(), *from..*to), &actor).await.is_ok()
            }
        };
        self.trace.note(("was asked", &job, &errand, is_done));
    }

    async fn trigger(&self, handle: &SchedulerHandle, job: JobId, key: Option<u64>) -> bool {
        let request = TriggerRequest::new(job).by("operator");
        let request = match key {
            Some(key) => request.with_idempotency_key(format!("key-{key}")),
            None => request,
        };
        match handle.trigger(request).await {
            Ok(triggered) => {
                let execution = triggered.execution;
                let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
                accepted.push((execution.job_id, execution.occurrence));
                true
            }
            Err(TriggerError::AlreadyRunning { .. }) => true,
            Err(_) => false,
        }
    }
}

/// One of the newest rows of these statuses.
async fn newest(handle: &SchedulerHandle, statuses: &[Status], nth: u64) -> Option<ExecutionId> {
    let query = ExecutionQuery {
        filter: ExecutionFilter { statuses: statuses.to_vec(), ..ExecutionFilter::default() },
        start: PageStart::Offset(nth),
        limit: 1,
        count: false,
    };
    Some(handle.executions(&query).await.ok()?.executions.first()?.id)
}
