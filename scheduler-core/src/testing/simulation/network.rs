//! The network between machines and backends: slow, cut, and losing what it carries.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, oneshot};

use super::trace::Trace;
use crate::testing::{
    chance::Chance,
    executor::Group,
    link::{Broken, Link, Operation},
};

/// A backend that machines reach over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Backend {
    Store = 0,
    Locks = 1,
}

/// How a machine's way to a backend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum Way {
    #[default]
    Open,
    /// Calls fail at once.
    Refusing,
    /// Calls are held up until the way is open again, and may arrive when nobody waits for them any more.
    Dropping,
}

/// The network; clones are the same.
#[derive(Clone)]
pub(crate) struct Network(Arc<Shared>);

struct Shared {
    /// What is on its way, whoever sent it.
    group: Group,
    trace: Trace,
    state: Mutex<State>,
    /// Told when a way changes.
    changed: Notify,
}

struct State {
    chance: Chance,
    backends: [BackendState; 2],
    /// By machine and backend.
    ways: Vec<[WayState; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct BackendState {
    is_up: bool,
    /// How often its connections were dropped; answers on their way are lost by it.
    drops: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct WayState {
    way: Way,
    loses_replies: bool,
    slow: Duration,
}

impl Network {
    pub(crate) fn new(group: Group, trace: Trace, chance: Chance, machines: usize) -> Self {
        let up = BackendState { is_up: true, drops: 0 };
        let state = State { chance, backends: [up; 2], ways: vec![Default::default(); machines] };
        Self(Arc::new(Shared { group, trace, state: Mutex::new(state), changed: Notify::new() }))
    }

    /// The way from a machine to a backend.
    pub(crate) fn route(&self, machine: usize, backend: Backend) -> Route {
        Route { network: self.clone(), machine, backend }
    }

    pub(crate) fn set_way(&self, machine: usize, backend: Backend, way: Way) {
        self.state().ways[machine][backend as usize].way = way;
        self.0.changed.notify_waiters();
    }

    pub(crate) fn set_losing_replies(&self, machine: usize, backend: Backend, loses: bool) {
        self.state().ways[machine][backend as usize].loses_replies = loses;
    }

    pub(crate) fn set_slow(&self, machine: usize, backend: Backend, slow: Duration) {
        self.state().ways[machine][backend as usize].slow = slow;
    }

    /// Stops a backend, or starts it again; its connections are dropped.
    pub(crate) fn set_up(&self, backend: Backend, is_up: bool) {
        self.state().backends[backend as usize].is_up = is_up;
        self.drop_connections(backend);
    }

    /// Loses all answers that are on their way from a backend.
    pub(crate) fn drop_connections(&self, backend: Backend) {
        self.state().backends[backend as usize].drops += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("ways", &self.state().ways).finish_non_exhaustive()
    }
}

/// The way from a machine to a backend.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    network: Network,
    machine: usize,
    backend: Backend,
}

impl Route {
    /// One way of a call or an answer.
    async fn travel(&self) {
        let time = {
            let mut state = self.network.state();
            let slow = state.ways[self.machine][self.backend as usize].slow;
            let chance = &mut state.chance;
            let usual = match chance.below(1_000) {
                0..950 => chance.millis(1..4),
                950..995 => chance.millis(4..60),
                _ => chance.millis(60..900),
            };
            usual + slow.mul_f64(0.5 + f64::from(u8::try_from(chance.below(100)).unwrap_or(0)) / 100.0)
        };
        tokio::time::sleep(time).await;
    }

    fn way(&self) -> WayState {
        self.network.state().ways[self.machine][self.backend as usize]
    }

    fn backend(&self) -> BackendState {
        self.network.state().backends[self.backend as usize]
    }

    /// Brings a call to its backend; `false` where it does not arrive.
    async fn arrive(&self) -> bool {
        self.travel().await;
        loop {
            match self.way().way {
                Way::Open => return self.backend().is_up,
                Way::Refusing => return false,
                Way::Dropping => {
                    self.network.0.changed.notified().await;
                    self.travel().await;
                }
            }
        }
    }

    /// Brings an answer back; `false` where it is lost and the caller comes to know that. It may not come at all.
    async fn come_back(&self, drops_before: u64) -> bool {
        self.travel().await;
        let way = self.way();
        let is_lost = way.loses_replies || way.way != Way::Open || self.backend().drops != drops_before;
        if is_lost && self.network.state().chance.one_in(2) {
            std::future::pending::<()>().await;
        }
        !is_lost
    }

    async fn deliver<T, E>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Broken<E>> {
        if !self.arrive().await {
            self.note(operation, "does not arrive");
            return Err(Broken::Unreachable);
        }
        let drops = self.backend().drops;
        let answer = call.await;
        self.note(operation, if answer.is_ok() { "is done" } else { "is refused" });
        if !self.come_back(drops).await {
            self.note(operation, "is not answered");
            return Err(Broken::ReplyLost);
        }
        answer.map_err(Broken::Backend)
    }

    fn note(&self, operation: Operation, what: &str) {
        self.network.0.trace.note((self.machine, operation, what));
    }
}

impl Link for Route {
    async fn carry<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, Broken<E>> {
        let (reply, answer) = oneshot::channel();
        let route = self.clone();
        self.network.0.group.spawn(async move {
            let answer = route.deliver(operation, call).await;
            // Whoever asked may be gone.
            let _ = reply.send(answer);
        });
        answer.await.unwrap_or(Err(Broken::ReplyLost))
    }

    async fn carry_within<T: Send, E: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, Broken<E>> {
        self.deliver(operation, call).await
    }
}
