//! A machine, and the process on it that is started again and again.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::{
    effects::Effects,
    network::{Backend, Network},
    time::MachineClock,
    trace::Trace,
};
use crate::{
    Scheduler, SchedulerBuilder, SchedulerHandle,
    identity::{InstanceId, JobId},
    job::Job,
    lock::{LockBackend, memory::MemoryLocks},
    store::{ControlStore as _, ExecutionStore, memory::MemoryStore},
    testing::{
        executor::Executor,
        link::{LinkedLocks, LinkedStore},
        process::Process,
    },
};

/// How long a service waits before it tries to start again.
const START_AGAIN: Duration = Duration::from_secs(1);

/// Gives a scheduler its jobs and state.
pub(crate) type Parts = Arc<dyn Fn(SchedulerBuilder) -> SchedulerBuilder + Send + Sync>;

/// What runs on each machine.
pub(crate) enum Program {
    Scheduler(Parts),
    #[cfg(test)]
    Other(Other),
}

/// Something that is no scheduler of ours: the life of one process.
#[cfg(test)]
pub(crate) type Other = Arc<dyn Fn(Seat) -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;

/// What a process has that is no scheduler of ours.
#[cfg(test)]
pub(crate) struct Seat {
    pub(crate) site: Arc<Site>,
    pub(crate) instance: InstanceId,
    pub(crate) clock: MachineClock,
    pub(crate) process: Process,
    pub(crate) store: MemoryStore,
    pub(crate) to_store: super::network::Route,
    pub(crate) locks: MemoryLocks,
    pub(crate) to_locks: super::network::Route,
}

/// Makes what decides who runs in place of the store, as a machine reaches it.
pub(crate) type Deciding = Arc<dyn Fn(MemoryStore, MachineClock) -> Arc<dyn ExecutionStore> + Send + Sync>;

/// Puts something between the network and the lock backend, on the backend's side.
pub(crate) type WrapLocks = Arc<dyn Fn(MemoryLocks) -> Arc<dyn LockBackend> + Send + Sync>;

/// What all machines of a simulation share.
pub(crate) struct Site {
    pub(crate) executor: Executor,
    pub(crate) network: Network,
    pub(crate) effects: Effects,
    pub(crate) trace: Trace,
    pub(crate) program: Program,
    /// The store that they share; without one each process has its own.
    pub(crate) store: Option<MemoryStore>,
    pub(crate) locks: Option<MemoryLocks>,
    pub(crate) deciding: Option<Deciding>,
    pub(crate) wrap_locks: WrapLocks,
    /// The jobs' watermarks when they were first announced.
    pub(crate) first_seen: Mutex<BTreeMap<JobId, DateTime<Utc>>>,
}

impl Site {
    /// From when on each job's occurrences are owed.
    pub(crate) fn first_seen(&self) -> BTreeMap<JobId, DateTime<Utc>> {
        self.first_seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the watermarks of the jobs that were announced for the first time: none has moved yet.
    pub(crate) async fn see(&self, store: &MemoryStore, jobs: &[Job]) {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.settings().id.clone()).collect();
        let states = store.states(&ids).await.expect("a store in memory answers");
        let mut first_seen = self.first_seen.lock().unwrap_or_else(PoisonError::into_inner);
        for state in states {
            first_seen.entry(state.job_id).or_insert(state.watermark);
        }
    }
}

/// A machine; clones are the same.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Shared>);

struct Shared {
    site: Arc<Site>,
    number: usize,
    clock: MachineClock,
    state: Mutex<State>,
    orders: mpsc::UnboundedSender<Order>,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    handle: Option<SchedulerHandle>,
    lives: Vec<Life>,
}

/// One process, from its start to its end.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) instance: InstanceId,
    /// The store that died with it, where it had one of its own.
    pub(crate) own_store: Option<MemoryStore>,
    /// Whether it lives at the simulation's end.
    pub(crate) is_alive: bool,
}

/// What is done to a process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// It is gone already, and is started again after this time.
    Crashed { down: Duration },
    /// It is to stop, and is started again.
    Stop { drain: Duration, down: Duration },
}

impl Machine {
    /// A machine on which a process is started, by a task of `supervisors`.
    pub(crate) fn boot(
        site: &Arc<Site>,
        number: usize,
        clock: MachineClock,
    ) -> (Self, impl Future<Output = ()> + use<>) {
        let (orders, received) = mpsc::unbounded_channel();
        let shared = Shared { site: Arc::clone(site), number, clock, state: Mutex::default(), orders };
        let machine = Self(Arc::new(shared));
        (machine.clone(), machine.supervise(received))
    }

    pub(crate) fn clock(&self) -> &MachineClock {
        &self.0.clock
    }

    /// The process that runs now, if one does.
    pub(crate) fn process(&self) -> Option<Process> {
        self.state().process.clone()
    }

    /// The scheduler that runs now, if it has started.
    pub(crate) fn handle(&self) -> Option<SchedulerHandle> {
        self.state().handle.clone()
    }

    pub(crate) fn lives(&self) -> Vec<Life> {
        self.state().lives.clone()
    }

    /// Drops all that the process has, at once; it is started again after this time.
    pub(crate) fn crash(&self, down: Duration) {
        self.end_process();
        // The supervisor lives as long as the simulation.
        let _ = self.0.orders.send(Order::Crashed { down });
    }

    /// Tells the process to stop.
    pub(crate) fn stop(&self, drain: Duration, down: Duration) {
        let _ = self.0.orders.send(Order::Stop { drain, down });
    }

    fn end_process(&self) {
        let process = {
            let mut state = self.state();
            state.handle = None;
            if let Some(life) = state.lives.last_mut() {
                life.is_alive = false;
            }
            state.process.take()
        };
        if let Some(process) = process {
            process.crash();
        }
    }

    async fn supervise(self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            self.note("starts");
            let process = Process::new(&self.0.site.executor);
            self.state().process = Some(process.clone());
            let down = match &self.0.site.program {
                Program::Scheduler(parts) => self.run_scheduler(parts, process, &mut orders).await,
                #[cfg(test)]
                Program::Other(program) => self.run_other(program, process, &mut orders).await,
            };
            self.end_process();
            self.note("is down");
            tokio::time::sleep(down).await;
            // What was ordered while nothing ran was done by that.
            while orders.try_recv().is_ok() {}
        }
    }

    /// Runs a scheduler from its start to its end; answers how long the machine is without one then.
    async fn run_scheduler(
        &self,
        parts: &Parts,
        process: Process,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) -> Duration {
        let own_store =
            self.0.site.store.is_none().then(|| MemoryStore::new().with_clock(Arc::new(self.0.clock.clone())));
        let scheduler = self.scheduler(parts, own_store.as_ref());
        let (handle, starting) = scheduler.start_in(process.tasks());
        let life = Life { instance: handle.instance(), own_store: own_store.clone(), is_alive: true };
        self.state().lives.push(life);
        let started = tokio::select! {
            biased;
            down = ended(orders) => return down,
            started = starting => started,
        };
        let Ok(running) = started else { return START_AGAIN };
        if let Some(store) = own_store.as_ref().or(self.0.site.store.as_ref()) {
            self.0.site.see(store, handle.definitions()).await;
        }
        self.state().handle = Some(handle);
        self.note("is up");
        match orders.recv().await {
            Some(Order::Stop { drain, down }) => {
                self.note("is told to stop");
                tokio::select! {
                    biased;
                    down = ended(orders) => down,
                    () = running.shutdown(drain) => down,
                }
            }
            Some(Order::Crashed { down }) => down,
            None => START_AGAIN,
        }
    }

    fn scheduler(&self, parts: &Parts, own_store: Option<&MemoryStore>) -> Scheduler {
        let Site { network, store, locks, deciding, wrap_locks, effects, .. } = &*self.0.site;
        let builder = match (own_store, store) {
            (None, Some(shared)) => {
                let store = LinkedStore::new(shared.clone(), network.route(self.0.number, Backend::Store));
                Scheduler::builder(match deciding {
                    Some(deciding) => store.with_deciding(deciding(shared.clone(), self.0.clock.clone())),
                    None => store,
                })
            }
            // It is in the process's own memory: no network lies between.
            (own, _) => Scheduler::builder(own.cloned().unwrap_or_default()),
        };
        let builder = match locks {
            Some(locks) => {
                let inner = wrap_locks(locks.clone());
                builder.lock_backend(LinkedLocks { inner, link: network.route(self.0.number, Backend::Locks) })
            }
            None => builder,
        };
        let scheduler = parts(builder.clock(self.0.clock.clone())).build().expect("they were built once before");
        scheduler.watched(|job| effects.watch(job))
    }

    #[cfg(test)]
    async fn run_other(
        &self,
        program: &Other,
        process: Process,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) -> Duration {
        let Site { network, store, locks, .. } = &*self.0.site;
        let instance = InstanceId::random();
        self.state().lives.push(Life { instance, own_store: None, is_alive: true });
        let life = program(Seat {
            site: Arc::clone(&self.0.site),
            instance,
            clock: self.0.clock.clone(),
            process: process.clone(),
            store: store.clone().expect("it has a table"),
            to_store: network.route(self.0.number, Backend::Store),
            locks: locks.clone().expect("it has locks"),
            to_locks: network.route(self.0.number, Backend::Locks),
        });
        process.engine.spawn(life);
        match orders.recv().await {
            Some(Order::Stop { drain, down }) => {
                process.engine.crash();
                tokio::select! {
                    biased;
                    down = ended(orders) => down,
                    () = tokio::time::sleep(drain) => down,
                }
            }
            Some(Order::Crashed { down }) => down,
            None => START_AGAIN,
        }
    }

    fn note(&self, what: &str) {
        self.0.site.trace.note((self.0.number, what));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns when the process was ended; what it is asked for meanwhile it can't do.
async fn ended(orders: &mut mpsc::UnboundedReceiver<Order>) -> Duration {
    loop {
        match orders.recv().await {
            Some(Order::Crashed { down }) => return down,
            Some(Order::Stop { .. }) => {}
            None => return START_AGAIN,
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("number", &self.0.number).field("clock", &self.0.clock).finish_non_exhaustive()
    }
}
