//! Backends that fail when a test tells them to.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::link::{Broken, Link, LinkedLocks, LinkedStore, Operation};
use crate::{clock::Clock, lock::LockBackend, store::Store};

/// Breaks the way between a scheduler and its backends: a store by [`Faults::store`], a lock backend by
/// [`Faults::locks`]. Clones share what they break.
///
/// ```
/// use scheduler_core::{job::Job, status::Status, testing::{ManualScheduler, Operation}};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let job = Job::builder("hourly").cron("0 * * * *").run(|| async {});
/// let mut scheduler = ManualScheduler::start("2026-01-01T00:00:00Z".parse()?, |it| it.jobs([job])).await?;
/// // The claim is written, and its answer is lost: it is found again, and the body starts once.
/// scheduler.faults().lose_replies(Operation::Claim, 1);
/// scheduler.advance(Duration::from_secs(60 * 60 + 5)).await;
/// let rows = scheduler.executions("hourly").await;
/// assert_eq!((rows.len(), rows[0].status, rows[0].attempt), (1, Status::Succeeded, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Faults {
    clock: Arc<dyn Clock>,
    script: Arc<Mutex<Script>>,
    /// Whether calls arrive.
    partitioned: Arc<watch::Sender<bool>>,
}

/// What is to happen.
#[derive(Debug, Default)]
struct Script {
    failures: HashMap<Operation, usize>,
    lost_replies: HashMap<Operation, usize>,
    is_away: bool,
    loses_replies: bool,
    delay: Duration,
}

impl Faults {
    /// Nothing is broken; delays are those of this clock.
    #[must_use]
    pub fn new(clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), script: Arc::default(), partitioned: Arc::new(watch::Sender::new(false)) }
    }

    /// The store, reached by a way that breaks as told here.
    pub fn store<S: Store>(&self, store: S) -> impl Store + Clone + use<S> {
        LinkedStore::new(store, self.clone())
    }

    /// The lock backend, reached by a way that breaks as told here.
    pub fn locks<L: LockBackend>(&self, locks: L) -> impl LockBackend + Clone + use<L> {
        LinkedLocks { inner: Arc::new(locks), link: self.clone() }
    }

    /// Lets the next calls of this kind fail, as many as `times`: they do nothing and are answered by an error.
    pub fn fail_next(&self, operation: Operation, times: usize) {
        *self.script().failures.entry(operation).or_default() += times;
    }

    /// Loses the answers to the next calls of this kind, as many as `times`: what they ask for is done, and the caller
    /// does not come to know it.
    pub fn lose_replies(&self, operation: Operation, times: usize) {
        *self.script().lost_replies.entry(operation).or_default() += times;
    }

    /// Loses the answer to every call while set.
    pub fn set_losing_replies(&self, loses: bool) {
        self.script().loses_replies = loses;
    }

    /// Lets every call fail at once while set, as a server does that does not run.
    pub fn set_away(&self, away: bool) {
        self.script().is_away = away;
    }

    /// Lets no call through while set, as a network does that drops what it is given: calls wait until it is unset, or
    /// their caller gives up.
    pub fn set_partitioned(&self, partitioned: bool) {
        self.partitioned.send_replace(partitioned);
    }

    /// Lets this much time go by before each call arrives.
    pub fn set_delay(&self, delay: Duration) {
        self.script().delay = delay;
    }

    /// Whether this call fails; one that was told to is used up.
    fn fails(&self, operation: Operation) -> bool {
        let mut script = self.script();
        script.is_away || take(&mut script.failures, operation)
    }

    fn loses_reply(&self, operation: Operation) -> bool {
        let mut script = self.script();
        script.loses_replies || take(&mut script.lost_replies, operation)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one off, if there is one.
fn take(counts: &mut HashMap<Operation, usize>, operation: Operation) -> bool {
    match counts.get_mut(&operation) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

impl Link for Faults {
    async fn carry<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, Broken<E>> {
        self.carry_within(operation, call).await
    }

    async fn carry_within<T: Send, E: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, Broken<E>> {
        let delay = self.script().delay;
        if !delay.is_zero() {
            self.clock.sleep(delay).await;
        }
        // The sender is `self`'s own, so it is there.
        let _ = self.partitioned.subscribe().wait_for(|partitioned| !partitioned).await;
        if self.fails(operation) {
            return Err(Broken::Unreachable);
        }
        let answer = call.await;
        if self.loses_reply(operation) {
            return Err(Broken::ReplyLost);
        }
        answer.map_err(Broken::Backend)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitioned = *self.partitioned.borrow();
        f.debug_struct("Faults").field("script", &*self.script()).field("partitioned", &partitioned).finish()
    }
}
