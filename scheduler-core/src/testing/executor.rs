//! Tasks that a test polls: frozen, crashed, and known to be idle.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::random::seeded::SplitMix;

/// Polls the tasks of its groups, on whichever task polls it.
#[derive(Clone)]
pub(crate) struct Executor(Arc<Mutex<Ready>>);

/// What is to be polled.
struct Ready {
    tasks: VecDeque<Arc<Spawned>>,
    /// Wakes whoever polls the executor.
    waker: Option<Waker>,
    /// Whether it is being polled, and so sees by itself what becomes ready.
    is_polled: bool,
    /// Chooses which of the ready tasks comes next; the first one without.
    chance: Option<SplitMix>,
}

impl Executor {
    /// Tasks are polled in the order in which they were woken.
    pub(crate) fn new() -> Self {
        Self::with_chance(None)
    }

    /// Each task to be polled is drawn among those that are ready.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::with_chance(Some(SplitMix(seed)))
    }

    fn with_chance(chance: Option<SplitMix>) -> Self {
        Self(Arc::new(Mutex::new(Ready { tasks: VecDeque::new(), waker: None, is_polled: false, chance })))
    }

    /// A new group of tasks.
    pub(crate) fn group(&self) -> Group {
        Group(Arc::new(GroupShared { executor: self.clone(), state: Mutex::default() }))
    }

    /// Polls until no task is ready. A later wake-up wakes the task of `context`.
    ///
    /// The caller must be free of tokio's budget for one poll (`tokio::task::unconstrained`): it is spent in a moment
    /// by many tasks within one, and what is woken for it alone would be ready without end.
    pub(crate) fn poll_ready(&self, context: &Context<'_>) {
        {
            let mut ready = self.lock();
            ready.is_polled = true;
            ready.waker = Some(context.waker().clone());
        }
        while let Some(task) = self.next() {
            task.poll();
        }
    }

    fn next(&self) -> Option<Arc<Spawned>> {
        let mut ready = self.lock();
        let index = match ready.tasks.len() {
            0 => {
                ready.is_polled = false;
                return None;
            }
            1 => 0,
            len => ready.chance.as_mut().map_or(0, |chance| usize::try_from(chance.next() % len as u64).unwrap_or(0)),
        };
        ready.tasks.remove(index)
    }

    fn push(&self, task: Arc<Spawned>) {
        let waker = {
            let mut ready = self.lock();
            ready.tasks.push_back(task);
            if ready.is_polled { None } else { ready.waker.take() }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("ready", &self.lock().tasks.len()).finish_non_exhaustive()
    }
}

/// Tasks that are frozen and crashed together.
#[derive(Clone)]
pub(crate) struct Group(Arc<GroupShared>);

struct GroupShared {
    executor: Executor,
    state: Mutex<GroupState>,
}

#[derive(Default)]
struct GroupState {
    tasks: BTreeMap<u64, Arc<Spawned>>,
    last: u64,
    is_frozen: bool,
    is_crashed: bool,
    /// What was woken while frozen.
    parked: Vec<Arc<Spawned>>,
}

impl Group {
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> SpawnedTask {
        let mut state = self.lock();
        state.last += 1;
        let task = Arc::new(Spawned {
            number: state.last,
            group: self.clone(),
            future: Mutex::new(Some(Box::pin(future))),
            is_ready: AtomicBool::new(false),
            is_aborted: AtomicBool::new(state.is_crashed),
            ended: CancellationToken::new(),
        });
        if state.is_crashed {
            drop(state);
            task.end();
        } else {
            state.tasks.insert(task.number, Arc::clone(&task));
            drop(state);
            task.wake_by_ref();
        }
        SpawnedTask(task)
    }

    /// Polls none of the tasks until [`Group::thaw`]; timers go on.
    pub(crate) fn freeze(&self) {
        self.lock().is_frozen = true;
    }

    pub(crate) fn thaw(&self) {
        let parked = {
            let mut state = self.lock();
            state.is_frozen = false;
            std::mem::take(&mut state.parked)
        };
        for task in parked {
            self.0.executor.push(task);
        }
    }

    /// Drops all tasks at once, and those that are spawned from now on.
    pub(crate) fn crash(&self) {
        let (tasks, parked) = {
            let mut state = self.lock();
            state.is_crashed = true;
            (std::mem::take(&mut state.tasks), std::mem::take(&mut state.parked))
        };
        drop(parked);
        for task in tasks.into_values() {
            task.abort();
        }
    }

    /// How many of its tasks have not ended.
    pub(crate) fn len(&self) -> usize {
        self.lock().tasks.len()
    }

    fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Group").field("tasks", &state.tasks.len()).field("is_frozen", &state.is_frozen).finish()
    }
}

struct Spawned {
    number: u64,
    group: Group,
    /// Out of its place while it is polled.
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    is_ready: AtomicBool,
    is_aborted: AtomicBool,
    ended: CancellationToken,
}

impl Spawned {
    fn poll(self: Arc<Self>) {
        {
            let mut group = self.group.lock();
            if group.is_frozen {
                group.parked.push(Arc::clone(&self));
                return;
            }
        }
        self.is_ready.store(false, Ordering::Release);
        let Some(mut future) = self.slot().take() else { return };
        let waker = Waker::from(Arc::clone(&self));
        let poll = Pin::as_mut(&mut future).poll(&mut Context::from_waker(&waker));
        if poll == Poll::Ready(()) || self.is_aborted.load(Ordering::Acquire) {
            drop(future);
            self.end();
        } else {
            *self.slot() = Some(future);
        }
    }

    fn abort(&self) {
        self.is_aborted.store(true, Ordering::Release);
        // While it is polled its future is out of its place, and is dropped when the poll returns.
        if self.slot().is_some() {
            self.end();
        }
    }

    fn end(&self) {
        self.group.lock().tasks.remove(&self.number);
        let future = self.slot().take();
        drop(future);
        self.ended.cancel();
    }

    fn slot(&self) -> MutexGuard<'_, Option<BoxFuture<'static, ()>>> {
        self.future.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Spawned {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            self.group.0.executor.push(Arc::clone(self));
        }
    }
}

/// A task of a group; it goes on when this is dropped.
pub(crate) struct SpawnedTask(Arc<Spawned>);

impl SpawnedTask {
    pub(crate) fn abort(&self) {
        self.0.abort();
    }

    pub(crate) async fn ended(&self) {
        self.0.ended.cancelled().await;
    }
}

impl fmt::Debug for SpawnedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnedTask").field("number", &self.0.number).finish_non_exhaustive()
    }
}
