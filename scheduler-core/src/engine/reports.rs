//! Brings what executions say to the store, apart from their outcomes: neither those nor renewals wait for it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tracing::{info, warn};

use super::{Backoff, Engine, Reporter, health::chain, limited};
use crate::store::{Report, StoreError};

/// How long lines are gathered while an execution runs.
const GATHER: Duration = Duration::from_secs(1);

/// How many lines, and how many executions, are written in one trip, about.
const BATCH: usize = 1_000;

/// How long a trip may take before its answer counts as lost.
const LIMIT: Duration = Duration::from_secs(10);

/// What executions said that is not written.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// Those that said something.
    waiting: Mutex<Vec<Arc<Reporter>>>,
    /// What is on the way: it stays here until it is settled, so that a trip that comes to nothing loses none.
    trip: tokio::sync::Mutex<Vec<Report>>,
    on_the_way: AtomicUsize,
    arrived: Notify,
    /// Told when what waits should not be gathered any longer: an execution has ended.
    hurry: Notify,
    written: Notify,
    /// Bytes of lines held.
    held: AtomicUsize,
    /// Whether it was said that they can't be written; said again once some were.
    is_failure_told: AtomicBool,
}

impl Reports {
    pub(super) fn push(&self, reporter: Arc<Reporter>) {
        self.waiting().push(reporter);
        self.arrived.notify_one();
    }

    /// Has what an execution said written now, as it has ended.
    pub(super) fn ended(&self, reporter: &Reporter) {
        if reporter.is_waiting() {
            self.hurry.notify_one();
        }
    }

    /// Takes room for a line; `false` where there is none.
    #[cfg(feature = "logs")]
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        /// How many bytes of lines an instance holds at most: those of some thirty executions that logged all they may
        /// while the store was away, or of very many that said a few words.
        const ROOM: usize = 32 * 1024 * 1024;
        let has_room = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= ROOM;
        if !has_room {
            self.release(bytes);
        }
        has_room
    }

    pub(super) fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Puts what waits into an empty trip: once there is something, and either a second has gone by or an execution ended.
    async fn fill(&self, engine: &Engine, trip: &mut Vec<Report>) {
        if !trip.is_empty() {
            return;
        }
        while self.waiting().is_empty() {
            self.arrived.notified().await;
        }
        tokio::select! {
            biased;
            () = self.hurry.notified() => {}
            () = engine.clock.sleep(GATHER) => {}
        }
        let waiting = std::mem::take(&mut *self.waiting());
        self.on_the_way.store(waiting.len(), Ordering::Relaxed);
        trip.extend(waiting.iter().map(|reporter| reporter.take()));
    }

    /// Takes what was settled off the trip.
    fn settle(&self, trip: &mut Vec<Report>, count: usize) {
        let lines = trip.drain(..count).flat_map(|report| report.lines);
        self.release(lines.map(|line| line.size()).sum());
        self.on_the_way.store(trip.len(), Ordering::Relaxed);
        self.written.notify_waiters();
    }

    /// Waits until all is written, or for so long.
    pub(super) async fn flush(&self, engine: &Engine, limit: Duration) {
        let is_empty = || self.waiting().is_empty() && self.on_the_way.load(Ordering::Relaxed) == 0;
        let all = async {
            loop {
                let written = self.written.notified();
                tokio::pin!(written);
                // Registered before it is asked, so that no change between the two is missed.
                written.as_mut().enable();
                if is_empty() {
                    return;
                }
                self.hurry.notify_one();
                written.await;
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            () = engine.clock.sleep(limit) => warn!("some of what executions said could not be written before the end"),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Arc<Reporter>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what executions say, until the task is dropped.
pub(crate) async fn write_reports(engine: Arc<Engine>) {
    let mut trip = engine.reports.trip.lock().await;
    loop {
        engine.reports.fill(&engine, &mut trip).await;
        while !trip.is_empty() {
            engine.write_batch(&mut trip).await;
        }
    }
}

impl Engine {
    /// Writes the next part of a trip; what the store refuses is left out.
    async fn write_batch(&self, trip: &mut Vec<Report>) {
        let mut backoff = Backoff::new();
        let mut count = batch(trip);
        loop {
            match self.try_report(&trip[..count]).await {
                Ok(()) => {
                    if self.reports.is_failure_told.swap(false, Ordering::Relaxed) {
                        info!("what executions say is written again");
                    }
                    return self.reports.settle(trip, count);
                }
                Err(error) if error.is_retryable() => {
                    self.tell_failure(&error, "it is tried again, and kept as far as there is room");
                    self.clock.sleep(backoff.next_delay()).await;
                }
                // Of several perhaps one alone is refused.
                Err(_) if count > 1 => count = 1,
                Err(error) => {
                    self.tell_failure(&error, "it is left out");
                    return self.reports.settle(trip, count);
                }
            }
        }
    }

    async fn try_report(&self, reports: &[Report]) -> Result<(), StoreError> {
        limited(&*self.clock, LIMIT, "keep what executions say", self.scribe.report(reports)).await
    }

    fn tell_failure(&self, error: &StoreError, next: &str) {
        if !self.reports.is_failure_told.swap(true, Ordering::Relaxed) {
            warn!(error = chain(error), "what executions say can't be written: {next}");
        }
    }
}

/// How many reports go in one trip: at least one.
fn batch(trip: &[Report]) -> usize {
    let mut lines = 0;
    let fits = trip.iter().take(BATCH).take_while(|report| {
        lines += report.lines.len();
        lines <= BATCH
    });
    fits.count().max(1)
}
