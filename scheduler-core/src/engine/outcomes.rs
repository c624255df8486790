//! Brings outcomes to the store, again and again until they are written (R9).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc::UnboundedReceiver;
use tracing::{error, info, warn};

use super::{Backoff, Engine, agenda::Due, health::chain, limited};
use crate::{
    identity::ExecutionId,
    status::Status,
    store::{Finish, FinishOutcome, StoreError},
};

/// How many outcomes are written in one trip.
const BATCH: usize = 1_000;

/// How long a trip may take before its answer counts as lost.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// How many outcomes may wait before nothing more is claimed: what an instance keeps in memory is bounded.
const ROOM: usize = 10_000;

/// An outcome on its way to the store.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) finish: Finish,
}

/// How many outcomes wait.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicUsize);

/// Writes outcomes as they come, those that wait together in one trip, until every sender is gone.
pub(crate) async fn write_outcomes(engine: Arc<Engine>, mut ended: UnboundedReceiver<Ended>) {
    let mut batch = Vec::with_capacity(BATCH);
    while ended.recv_many(&mut batch, BATCH).await > 0 {
        engine.waiting.0.store(ended.len() + batch.len(), Ordering::Relaxed);
        let finishes: Vec<Finish> = batch.drain(..).map(|ended| ended.finish).collect();
        engine.write(finishes).await;
        engine.waiting.0.store(ended.len(), Ordering::Relaxed);
    }
}

impl Engine {
    /// Waits while too many outcomes are unwritten; occurrences whose deadline passes meanwhile are left to `decide`.
    pub(crate) async fn wait_for_room(&self, mut due: Vec<Due>) -> Vec<Due> {
        if self.waiting.0.load(Ordering::Relaxed) < ROOM {
            return due;
        }
        warn!(unwritten = ROOM, "too many outcomes wait for the store: nothing more is started until they are written");
        while self.waiting.0.load(Ordering::Relaxed) >= ROOM && !due.is_empty() {
            self.running.left.notified().await;
            let now = self.now();
            due.retain(|due| now < self.jobs.get(due.job).settings().deadline(due.scheduled_at));
        }
        due
    }

    /// Writes these outcomes; returns when all are written.
    async fn write(self: &Arc<Self>, finishes: Vec<Finish>) {
        let mut backoff = Backoff::new();
        loop {
            match self.try_write(&finishes).await {
                Ok(outcomes) => {
                    for (finish, outcome) in finishes.into_iter().zip(outcomes) {
                        self.settle_finish(&finish, outcome).await;
                    }
                    self.finished.send_modify(|count| *count += 1);
                    return;
                }
                Err(error) if error.is_retryable() => {
                    self.health.store_failed(&error);
                    self.clock.sleep(backoff.next_delay()).await;
                }
                Err(error) => {
                    error!(
                        error = chain(&error),
                        outcomes = finishes.len(),
                        "outcomes were refused by the store: written one by one"
                    );
                    for finish in finishes {
                        Box::pin(self.write_refused(finish)).await;
                    }
                    return;
                }
            }
        }
    }

    /// Writes one outcome of a refused batch; where it is refused itself, its status alone.
    async fn write_refused(self: &Arc<Self>, mut finish: Finish) {
        let mut backoff = Backoff::new();
        loop {
            match self.try_write(std::slice::from_ref(&finish)).await {
                Ok(outcomes) => {
                    for outcome in outcomes {
                        self.settle_finish(&finish, outcome).await;
                    }
                    self.finished.send_modify(|count| *count += 1);
                    return;
                }
                Err(error) => {
                    if !error.is_retryable() {
                        error!(execution_id = %finish.execution_id, error = chain(&error), "an outcome was refused by the store: its status is written without what the job said");
                        finish.message = Some("the store refused what the job said".to_owned());
                        (finish.error_trace, finish.result_data) = (None, None);
                    }
                    self.clock.sleep(backoff.next_delay()).await;
                }
            }
        }
    }

    async fn try_write(&self, finishes: &[Finish]) -> Result<Vec<FinishOutcome>, StoreError> {
        let call = self.store.finish(finishes);
        let outcomes = limited(&*self.clock, FINISH_LIMIT, "finish executions", call).await?;
        self.health.store_answered();
        Ok(outcomes)
    }

    async fn settle_finish(self: &Arc<Self>, finish: &Finish, outcome: FinishOutcome) {
        let running = self.running.remove(finish.execution_id);
        let job_id = running.as_ref().map(|running| self.jobs.get(running.job).settings().id.clone());
        let job_id = job_id.as_ref().map_or("", |id| id.as_str());
        let mut retry = None;
        match outcome {
            FinishOutcome::Finished { status, next, .. } => {
                self.say(job_id, finish, status, next);
                if let (Some(next), Some(row)) = (finish.next, next) {
                    retry = Some(row);
                    self.look_after(next.after);
                }
            }
            FinishOutcome::Fenced => {
                warn!(job_id, execution_id = %finish.execution_id, "an outcome came too late: another instance has gone on with the occurrence");
            }
        }
        // Where the lock backend is the claim, its lease is held on while a retry waits (R15).
        let Some((lock, lease)) = running.and_then(|running| Some((running.lock?, running.lease))) else { return };
        match retry {
            Some(row) => self.running.keep(row, lock, lease),
            None => self.release(Some(lock)).await,
        }
    }

    fn say(&self, job_id: &str, finish: &Finish, status: Status, next: Option<ExecutionId>) {
        let (execution_id, message) = (finish.execution_id, finish.message.as_deref().unwrap_or_default());
        match (status, finish.next.filter(|_| next.is_some())) {
            (Status::Succeeded, _) => info!(job_id, %execution_id, message, "succeeded"),
            (status, Some(next)) => {
                warn!(job_id, %execution_id, message, %status, "did not succeed: the next attempt follows in {:?}", next.after);
            }
            (status, None) => warn!(job_id, %execution_id, message, %status, "did not succeed: no attempt follows"),
        }
    }

    /// Looks at what waits once this much time has gone by.
    pub(crate) fn look_after(self: &Arc<Self>, delay: Duration) {
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            engine.clock.sleep(delay).await;
            engine.look.notify_one();
        });
    }
}
