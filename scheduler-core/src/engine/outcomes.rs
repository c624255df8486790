//! Brings outcomes to the store, again and again until they are written (R9).

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tracing::{error, info, warn};

use super::{
    Backoff, Engine, JobIndex,
    agenda::Due,
    health::chain,
    limited,
    running::{KeptLock, RunningExecution},
};
use crate::{
    event::Event,
    identity::{ExecutionId, JobId},
    status::{Reason, Status},
    store::{Finish, FinishOutcome, StoreError},
};

/// How many outcomes are written in one trip.
const BATCH: usize = 1_000;

/// How long outcomes wait at most for the claims that are under way: somebody sees how late a body starts, and hardly ever how
/// late its end is written.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// How long a trip may take before its answer counts as lost.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// How many outcomes may wait before nothing more is started: what an instance keeps in memory is bounded.
const ROOM: usize = 10_000;

/// Outcomes on their way to the store.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    queue: Mutex<VecDeque<Finish>>,
    /// Those on the way: they stay here until they are settled, so that a trip that comes to nothing loses none.
    trip: tokio::sync::Mutex<Vec<Finish>>,
    arrived: Notify,
    /// How many are not written: in the queue, on the way, or refused and tried alone.
    unwritten: AtomicUsize,
    /// Whether it was said that they are too many; said again once all were written.
    is_full_told: AtomicBool,
}

impl Outcomes {
    pub(crate) fn push(&self, finish: Finish) {
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        self.queue().push_back(finish);
        self.arrived.notify_one();
    }

    /// Puts the oldest ones into an empty trip; waits until there are any.
    async fn fill(&self, trip: &mut Vec<Finish>) {
        loop {
            trip.extend(self.take(BATCH.saturating_sub(trip.len())));
            if !trip.is_empty() {
                return;
            }
            self.arrived.notified().await;
        }
    }

    fn take(&self, limit: usize) -> Vec<Finish> {
        let mut queue = self.queue();
        let count = queue.len().min(limit);
        queue.drain(..count).collect()
    }

    fn has_room(&self) -> bool {
        self.unwritten.load(Ordering::Relaxed) < ROOM
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Finish>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes outcomes as they come, those that wait together in one trip, until the task is dropped.
pub(crate) async fn write_outcomes(engine: Arc<Engine>) {
    let mut trip = engine.outcomes.trip.lock().await;
    loop {
        engine.outcomes.fill(&mut trip).await;
        // What is due goes first: its lateness is seen, and outcomes that wait meanwhile go together.
        tokio::select! {
            biased;
            () = engine.claims.done() => {}
            () = engine.clock.sleep(LONGEST_WAIT) => {}
        }
        let room = BATCH.saturating_sub(trip.len());
        trip.extend(engine.outcomes.take(room));
        engine.write(&mut trip).await;
    }
}

impl Engine {
    /// Whether more may be started: what an instance has to write is bounded.
    pub(crate) fn has_room(&self) -> bool {
        self.outcomes.has_room()
    }

    /// Waits while too many outcomes are unwritten; occurrences whose deadline passes meanwhile are left to `decide`.
    pub(crate) async fn wait_for_room(&self, mut due: Vec<Due>) -> Vec<Due> {
        if self.has_room() {
            return due;
        }
        if !self.outcomes.is_full_told.swap(true, Ordering::Relaxed) {
            warn!(
                unwritten = ROOM,
                "too many outcomes wait for the store: nothing more is started until they are written"
            );
        }
        loop {
            let left = self.running.left.notified();
            tokio::pin!(left);
            // Registered before the count is read, so that no change between the two is missed.
            left.as_mut().enable();
            if self.has_room() || due.is_empty() || self.is_draining() {
                return due;
            }
            tokio::select! {
                biased;
                () = self.draining.cancelled() => {}
                () = left => {}
            }
            let now = self.now();
            due.retain(|due| now < self.deadline(due));
        }
    }

    /// Writes the outcomes of a trip; returns when all are written or tried alone, and the trip is empty.
    async fn write(self: &Arc<Self>, trip: &mut Vec<Finish>) {
        let mut backoff = Backoff::new();
        loop {
            match self.try_write(trip).await {
                Ok(outcomes) => {
                    for (finish, outcome) in trip.drain(..).zip(outcomes) {
                        self.settle_finish(&finish, outcome);
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
                        outcomes = trip.len(),
                        "outcomes were refused by the store: written one by one"
                    );
                    for finish in trip.drain(..) {
                        // Beside the others, which one that stays refused must not hold up.
                        self.tasks.spawn(write_alone(Arc::clone(self), finish));
                    }
                    return;
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

    fn settle_finish(self: &Arc<Self>, finish: &Finish, outcome: FinishOutcome) {
        if self.outcomes.unwritten.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.outcomes.is_full_told.store(false, Ordering::Relaxed);
        }
        let running = self.running.remove(finish.execution_id);
        let job_id = running.as_ref().map(|running| self.jobs.get(running.job).settings().id.clone());
        let mut retry = None;
        match outcome {
            FinishOutcome::Finished { status, next, .. } => {
                self.say(job_id.as_ref(), finish, status, next);
                if let (Some(next), Some(row)) = (finish.next, next) {
                    retry = Some(row);
                    if let Some(running) = &running {
                        self.look_after(running.job, next.after);
                    }
                }
            }
            FinishOutcome::Fenced => {
                let job_id = job_id.as_ref().map_or("", JobId::as_str);
                warn!(job_id, execution_id = %finish.execution_id, "an outcome came too late: another instance has gone on with the occurrence");
            }
        }
        let Some(running) = running else { return };
        if running.brings_others {
            self.look.notify_one();
        } else if running.is_waited_for {
            self.freed.note(running.job);
        }
        self.settle_lock(running, retry);
    }

    /// Where the lock backend is the claim, its lease is held on while a retry waits (R15).
    fn settle_lock(self: &Arc<Self>, running: RunningExecution, retry: Option<ExecutionId>) {
        let Some(lock) = running.lock else { return };
        match retry {
            Some(execution_id) => {
                self.running.keep(KeptLock { execution_id, job: running.job, lock, lease: running.lease });
            }
            None => {
                let engine = Arc::clone(self);
                // Beside the writer: a lock backend that is away must not hold up outcomes.
                self.tasks.spawn(async move { engine.release(Some(lock)).await });
            }
        }
    }

    fn say(&self, job_id: Option<&JobId>, finish: &Finish, status: Status, next: Option<ExecutionId>) {
        if let Some(job_id) = job_id.cloned() {
            let execution_id = finish.execution_id;
            // Another status than the one asked for: the store knows of a cancel request.
            let reason = if status == finish.status { finish.reason } else { Some(Reason::ByRequest) };
            self.events.tell(Event::Finished { job_id, execution_id, status, reason, next });
        }
        let job_id = job_id.map_or("", JobId::as_str);
        let (execution_id, message) = (finish.execution_id, finish.message.as_deref().unwrap_or_default());
        match (status, finish.next.filter(|_| next.is_some())) {
            (Status::Succeeded, _) => info!(job_id, %execution_id, message, "succeeded"),
            (status, Some(next)) => {
                warn!(job_id, %execution_id, message, %status, "did not succeed: the next attempt follows in {:?}", next.after);
            }
            (status, None) => warn!(job_id, %execution_id, message, %status, "did not succeed: no attempt follows"),
        }
    }

    /// Looks at what waits of a job once this much time has gone by.
    fn look_after(self: &Arc<Self>, job: JobIndex, delay: Duration) {
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            engine.clock.sleep(delay).await;
            engine.freed.note(job);
        });
    }
}

/// Writes one outcome of a refused batch. Where it is refused itself it goes without what the job said, and where that
/// is refused, without the next attempt.
async fn write_alone(engine: Arc<Engine>, mut finish: Finish) {
    let mut backoff = Backoff::new();
    let mut refusals = 0;
    loop {
        match engine.try_write(std::slice::from_ref(&finish)).await {
            Ok(outcomes) => {
                for outcome in outcomes {
                    engine.settle_finish(&finish, outcome);
                }
                engine.finished.send_modify(|count| *count += 1);
                return;
            }
            Err(error) if error.is_retryable() => engine.health.store_failed(&error),
            Err(error) => {
                refusals += 1;
                let execution_id = finish.execution_id;
                let error = chain(&error);
                match refusals {
                    1 => {
                        error!(%execution_id, error, "an outcome was refused by the store: it is written without what the job said");
                        finish.message = Some("the store refused what the job said".to_owned());
                        (finish.error_trace, finish.result_data) = (None, None);
                    }
                    2 => {
                        error!(%execution_id, error, "an outcome was refused by the store: its status is written alone, and no attempt follows");
                        finish.next = None;
                    }
                    3 => {
                        error!(%execution_id, error, "an outcome's status was refused by the store: tried again until it is taken");
                    }
                    _ => {}
                }
            }
        }
        engine.clock.sleep(backoff.next_delay()).await;
    }
}
