//! The engine's own thread, from start to stop (R11, R25).

use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, oneshot, watch},
};
use tracing::{info, warn};

use super::{
    Engine, GRACE, HealthLog, JobTable, Locks, Running, ServerTime, Stop, Tasks, agenda::Undecided, outcomes::Waiting,
    run_agenda, write_outcomes,
};
use crate::{
    clock::Clock,
    context::StateMap,
    duty::{
        announce,
        heartbeat::{self, Healthy},
        run_duties,
    },
    identity::InstanceId,
    job::Job,
    lock::LockBackend,
    start_error::StartError,
    store::Store,
};

/// How long a backend has to answer at start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How long outcomes are still tried to be written once every body has ended; what is not written is recovered.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// What an engine is made of.
pub(crate) struct EngineParts {
    pub(crate) instance: InstanceId,
    pub(crate) version: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) locks: Option<Arc<dyn LockBackend>>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) state: Arc<StateMap>,
    pub(crate) health: Arc<HealthLog>,
    pub(crate) look: Arc<Notify>,
    pub(crate) finished: watch::Sender<u64>,
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct EngineThread {
    shutdown: Option<oneshot::Sender<Duration>>,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EngineThread {
    /// Starts the thread; returns once the backends have answered and the jobs are announced.
    pub(crate) async fn start(parts: EngineParts) -> Result<Self, StartError> {
        let tasks = Tasks::Runtimes { service: Handle::current() };
        let (started, is_started) = oneshot::channel();
        let (shutdown, is_shut_down) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("scheduler".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = started.send(Err(StartError::Thread(error)));
                        return;
                    }
                };
                runtime.block_on(live(parts, tasks, started, is_shut_down));
                // What still waits on a backend is not waited for.
                runtime.shutdown_background();
                let _ = ended.send(());
            })
            .map_err(StartError::Thread)?;
        is_started.await.unwrap_or_else(|_| {
            Err(StartError::Thread(std::io::Error::other("the scheduler's thread ended while it started")))
        })?;
        Ok(Self { shutdown: Some(shutdown), ended: Some(has_ended), thread: Some(thread) })
    }

    /// Starts the engine without a thread, as a task of a test's process.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn start_in(parts: EngineParts, tasks: Tasks) -> Result<Self, StartError> {
        let (started, is_started) = oneshot::channel();
        let (shutdown, is_shut_down) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let life = live(parts, tasks.clone(), started, is_shut_down);
        tasks.spawn(async move {
            life.await;
            let _ = ended.send(());
        });
        is_started.await.unwrap_or_else(|_| Err(StartError::Thread(std::io::Error::other("the process crashed"))))?;
        Ok(Self { shutdown: Some(shutdown), ended: Some(has_ended), thread: None })
    }

    /// Stops by R11: claims nothing more, gives bodies the drain time, then cancels them, and writes every outcome.
    pub(crate) async fn shutdown(mut self, drain: Duration) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(drain);
        }
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The engine's life.
async fn live(
    parts: EngineParts,
    tasks: Tasks,
    started: oneshot::Sender<Result<(), StartError>>,
    shutdown: oneshot::Receiver<Duration>,
) {
    let version = parts.version.clone();
    let (engine, ended) = match assemble(parts, tasks).await {
        Ok(made) => made,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    engine.health.started();
    let stop = Arc::new(Notify::new());
    let agenda = engine.tasks.spawn(run_agenda(Arc::clone(&engine), Arc::clone(&stop)));
    let outcomes = engine.tasks.spawn(write_outcomes(Arc::clone(&engine), ended));
    let duties = engine.tasks.spawn(run_duties(Arc::clone(&engine), version));
    if started.send(Ok(())).is_err() {
        // Nobody waits for the start any more.
        duties.abort();
        return;
    }
    // Dropped without a word: nothing is drained, recovery finds what ran.
    if let Ok(drain) = shutdown.await {
        engine.drain();
        engine.health.draining();
        stop.notify_one();
        agenda.ended().await;
        drain_bodies(&engine, drain).await;
        flush(&engine).await;
        heartbeat::leave(&engine).await;
    }
    duties.abort();
    outcomes.abort();
}

async fn assemble(
    parts: EngineParts,
    tasks: Tasks,
) -> Result<(Arc<Engine>, mpsc::UnboundedReceiver<super::Ended>), StartError> {
    let store = parts.store.attach();
    let capabilities = store.capabilities();
    within(&*parts.clock, store.check())
        .await
        .ok_or(StartError::StoreSilent(START_LIMIT))?
        .map_err(StartError::Store)?;
    let locks = parts.locks.map(|backend| backend.attach());
    if let Some(backend) = &locks {
        within(&*parts.clock, backend.check())
            .await
            .ok_or(StartError::LocksSilent(START_LIMIT))?
            .map_err(StartError::Locks)?;
    }
    let (sender, ended) = mpsc::unbounded_channel();
    let engine = Arc::new(Engine {
        instance: parts.instance,
        time: ServerTime::new(&*parts.clock, capabilities.server_clock),
        clock: parts.clock,
        store,
        locks: locks.map(|backend| Locks::new(backend, capabilities.shared)),
        jobs: JobTable::new(parts.jobs),
        running: Running::default(),
        undecided: Undecided::default(),
        waiting: Waiting::default(),
        health: parts.health,
        state: parts.state,
        tasks,
        ended: sender,
        look: parts.look,
        finished: parts.finished,
        unconfirmed: Mutex::default(),
        healthy: Healthy::default(),
        draining: false.into(),
    });
    heartbeat::run_once(&engine, &parts.version).await.map_err(StartError::Store)?;
    announce::announce_all(&engine).await.map_err(StartError::Store)?;
    info!(
        instance = %engine.instance,
        jobs = ?engine.jobs.iter().map(|(_, entry)| entry.settings().id.as_str()).collect::<Vec<_>>(),
        "the scheduler starts"
    );
    Ok((engine, ended))
}

async fn within<T>(clock: &dyn Clock, call: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        answer = call => Some(answer),
        () = clock.sleep(START_LIMIT) => None,
    }
}

/// Lets bodies end within the drain time, then tells the rest to stop and waits for them a little longer.
async fn drain_bodies(engine: &Arc<Engine>, drain: Duration) {
    wait_until(engine, drain, |(_, bodies)| bodies == 0).await;
    let (_, bodies) = engine.running.count();
    if bodies > 0 {
        warn!(bodies, "the drain time is over: bodies that still run are told to stop");
        for execution in engine.running.all() {
            engine.stop(execution.execution_id, Stop::Shutdown);
        }
        // A little more than the grace time, so that what is dropped at its end is counted as ended.
        wait_until(engine, GRACE + Duration::from_millis(200), |(_, bodies)| bodies == 0).await;
    }
    let (_, bodies) = engine.running.count();
    if bodies > 0 {
        warn!(bodies, "bodies did not stop: their rows stay running until recovery finds them");
    }
}

/// Writes what has ended.
async fn flush(engine: &Arc<Engine>) {
    wait_until(engine, FLUSH_LIMIT, |(all, bodies)| all == bodies).await;
    let (all, bodies) = engine.running.count();
    if all > bodies {
        warn!(outcomes = all - bodies, "outcomes could not be written before the end: recovery finds their rows");
    }
}

async fn wait_until(engine: &Engine, limit: Duration, done: impl Fn((usize, usize)) -> bool) {
    let sleep = engine.clock.sleep(limit);
    tokio::pin!(sleep);
    loop {
        let left = engine.running.left.notified();
        tokio::pin!(left);
        // Registered before the count is read, so that no change between the two is missed.
        left.as_mut().enable();
        if done(engine.running.count()) {
            return;
        }
        tokio::select! {
            biased;
            () = left => {}
            () = &mut sleep => return,
        }
    }
}

impl Drop for EngineThread {
    fn drop(&mut self) {
        // Without `shutdown` nothing is drained: the thread sees the channel close and ends by itself.
        self.shutdown.take();
    }
}
