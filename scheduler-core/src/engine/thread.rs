//! The engine's own thread, from start to stop (R11, R25).

use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use futures_util::FutureExt as _;
use scheduler_cron::ZoneData;
use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot, watch},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    Capture, Claims, ContinueTrace, Engine, Freed, GRACE, HealthLog, JobTable, Locks, Outcomes, Reports, Running,
    RunningExecution, ServerTime, Starting, Stop, Tasks, Undecided, run_agenda, tasks::Task, write_outcomes,
    write_reports,
};
use crate::{
    clock::Clock,
    context::StateMap,
    duty::{
        announce,
        heartbeat::{self, Healthy},
        keep_leases, look_around, unconfirmed,
    },
    event::Events,
    identity::InstanceId,
    job::Job,
    lock::LockBackend,
    metrics,
    start_error::StartError,
    store::Store,
};

/// How long a backend has to answer at start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How long a stop takes at most beyond the drain time: bodies that were told to stop end in it, outcomes are written, and what is
/// held is given back. Whoever orders the stop, such as Kubernetes, reckons with it.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What of that is kept for writing outcomes, however long bodies take; what is not written is recovered.
const FLUSH_SHARE: Duration = Duration::from_secs(3);

/// How long what executions said is tried to be written after that: less matters less.
const REPORTS_LIMIT: Duration = Duration::from_secs(1);

/// How long what is held without a run is still given back after that, and the instance taken off the list; a store that
/// hangs must not hold up the end call by call.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);

/// How long a part of the engine that panicked rests before it goes on.
const PANIC_REST: Duration = Duration::from_secs(1);

/// What an engine is made of.
pub(crate) struct EngineParts {
    pub(crate) instance: InstanceId,
    pub(crate) version: String,
    pub(crate) continue_trace: Option<ContinueTrace>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) locks: Option<Arc<dyn LockBackend>>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) state: Arc<StateMap>,
    pub(crate) capture: Capture,
    pub(crate) health: Arc<HealthLog>,
    pub(crate) events: Events,
    pub(crate) look: Arc<Notify>,
    pub(crate) finished: watch::Sender<u64>,
    /// Fires once the engine has ended, in whatever way.
    pub(crate) stopped: CancellationToken,
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct EngineThread {
    shutdown: Option<oneshot::Sender<Duration>>,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
    health: Arc<HealthLog>,
}

impl EngineThread {
    /// Starts the thread; returns once the backends have answered and the jobs are announced.
    pub(crate) async fn start(parts: EngineParts) -> Result<Self, StartError> {
        let tasks = Tasks::Runtimes { service: Handle::current() };
        let (started, is_started) = oneshot::channel();
        let (shutdown, is_shut_down) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let health = Arc::clone(&parts.health);
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
        Ok(Self { shutdown: Some(shutdown), ended: Some(has_ended), thread: Some(thread), health })
    }

    /// Starts the engine without a thread, as a task of a test's process.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn start_in(parts: EngineParts, tasks: Tasks) -> Result<Self, StartError> {
        let (started, is_started) = oneshot::channel();
        let (shutdown, is_shut_down) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let health = Arc::clone(&parts.health);
        let life = live(parts, tasks.clone(), started, is_shut_down);
        tasks.spawn(async move {
            life.await;
            let _ = ended.send(());
        });
        is_started.await.unwrap_or_else(|_| Err(StartError::Thread(std::io::Error::other("the process crashed"))))?;
        Ok(Self { shutdown: Some(shutdown), ended: Some(has_ended), thread: None, health })
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
    let _stopped = parts.stopped.clone().drop_guard();
    let engine = match assemble(parts, tasks).await {
        Ok(engine) => engine,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    engine.health.started();
    let stop = Arc::new(Notify::new());
    let agenda = {
        let stop = Arc::clone(&stop);
        keep_up(&engine, "agenda", move |engine| run_agenda(engine, Arc::clone(&stop)))
    };
    let outcomes = keep_up(&engine, "writer of outcomes", write_outcomes);
    let reports = keep_up(&engine, "writer of reports", write_reports);
    let leases = keep_up(&engine, "keeper of leases", keep_leases);
    let looks = keep_up(&engine, "look around", look_around);
    if started.send(Ok(())).is_err() {
        // Nobody waits for the start any more.
        return;
    }
    // Dropped without a word: nothing is drained, recovery finds what ran.
    if let Ok(drain) = shutdown.await {
        info!(
            ?drain,
            bodies = engine.running.count().1,
            "the scheduler stops: it starts nothing more, and lets bodies end"
        );
        let end = engine.clock.uptime().saturating_add(drain).saturating_add(STOP_LIMIT);
        engine.drain();
        engine.health.draining();
        stop.notify_one();
        agenda.ended().await;
        drain_bodies(&engine, drain, end).await;
        looks.abort();
        // In a stop without trouble there is time left of the drain: as much as ever is taken for it.
        let left = |kept: Duration| left_until(&engine, end.saturating_sub(kept)).min(STOP_LIMIT);
        flush(&engine, left(REPORTS_LIMIT + LEAVE_LIMIT)).await;
        engine.reports.flush(&engine, left(LEAVE_LIMIT).min(REPORTS_LIMIT)).await;
        let left = async {
            give_back(&engine).await;
            heartbeat::leave(&engine).await;
        };
        tokio::select! {
            biased;
            () = left => {}
            () = engine.clock.sleep(left_until(&engine, end).min(STOP_LIMIT)) => {
                warn!("what this instance holds without running it could not be given back before the end: others find it");
            }
        }
        info!("the scheduler has stopped");
    }
    leases.abort();
    outcomes.abort();
    reports.abort();
}

/// Runs a part of the engine that must not end before its time: one that panics is told of, and goes on after a rest.
fn keep_up<F: Future<Output = ()> + Send + 'static>(
    engine: &Arc<Engine>,
    part: &'static str,
    run: impl Fn(Arc<Engine>) -> F + Send + 'static,
) -> Task {
    let kept = Arc::clone(engine);
    engine.tasks.spawn(async move {
        while std::panic::AssertUnwindSafe(run(Arc::clone(&kept))).catch_unwind().await.is_err() {
            error!(part, "a part of the scheduler panicked: it goes on in {PANIC_REST:?}");
            kept.health.panicked(part);
            kept.clock.sleep(PANIC_REST).await;
        }
    })
}

async fn assemble(parts: EngineParts, tasks: Tasks) -> Result<Arc<Engine>, StartError> {
    let store = parts.store.attach();
    let capabilities = store.capabilities();
    within(&*parts.clock, store.check())
        .await
        .ok_or(StartError::StoreSilent(START_LIMIT))?
        .map_err(StartError::Store)?;
    store.prepare().await.map_err(StartError::Store)?;
    let locks = parts.locks.map(|backend| backend.attach());
    if let Some(backend) = &locks {
        within(&*parts.clock, backend.check())
            .await
            .ok_or(StartError::LocksSilent(START_LIMIT))?
            .map_err(StartError::Locks)?;
    }
    let engine = Arc::new(Engine {
        instance: parts.instance,
        version: parts.version,
        continue_trace: parts.continue_trace,
        time: ServerTime::new(&*parts.clock, capabilities.server_clock),
        clock: parts.clock,
        keeper: parts.store.attach(),
        scribe: parts.store.attach(),
        namespace: store.namespace().map(Arc::from),
        store,
        locks: locks.map(|backend| Locks::new(backend, capabilities.shared)),
        jobs: JobTable::new(parts.jobs),
        running: Running::default(),
        undecided: Undecided::default(),
        claims: Claims::default(),
        freed: Freed::default(),
        outcomes: Outcomes::default(),
        reports: Reports::default(),
        capture: parts.capture,
        health: parts.health,
        events: parts.events,
        state: parts.state,
        tasks,
        look: parts.look,
        finished: parts.finished,
        unconfirmed: Mutex::default(),
        healthy: Healthy::default(),
        draining: CancellationToken::new(),
        starting: Starting::default(),
    });
    metrics::start(&engine);
    engine.capture.start();
    heartbeat::run_once(&engine).await.map_err(StartError::Store)?;
    announce::announce_all(&engine).await.map_err(StartError::Store)?;
    info!(
        instance = %engine.instance,
        jobs = ?engine.jobs.iter().map(|(_, entry)| entry.settings().id.as_str()).collect::<Vec<_>>(),
        zone_data = ZoneData::in_use().version(),
        "the scheduler starts"
    );
    if let Some(old) = engine.health.old_zone_data(engine.clock.now()) {
        warn!(
            "{old}: jobs may be due an hour off in zones whose rules have changed since; update the scheduler, or follow the machine's zone data (feature `system-tz`)"
        );
    }
    Ok(engine)
}

async fn within<T>(clock: &dyn Clock, call: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        answer = call => Some(answer),
        () = clock.sleep(START_LIMIT) => None,
    }
}

/// Lets what is under way be granted or refused and bodies end within the drain time, then tells the rest to stop and
/// waits for them a little longer.
async fn drain_bodies(engine: &Arc<Engine>, drain: Duration, end: Duration) {
    let is_quiet = |engine: &Engine| engine.starting() == 0 && engine.running.count().1 == 0;
    wait_until(engine, drain, is_quiet).await;
    // Twice, as a claim whose answer came late may have started a body after the first.
    for _ in 0..2 {
        if is_quiet(engine) {
            return;
        }
        let (_, bodies) = engine.running.count();
        warn!(bodies, "the drain time is over: bodies that still run are told to stop");
        for execution in engine.running.all() {
            engine.stop(execution.execution_id, Stop::Shutdown);
        }
        // A little more than the grace time, so that what is dropped at its end is counted as ended.
        let left = left_until(engine, end.saturating_sub(FLUSH_SHARE));
        wait_until(engine, left.min(GRACE + Duration::from_millis(200)), is_quiet).await;
    }
    tell_each(engine, false, |executions| {
        warn!(executions, "bodies did not stop: their rows stay running until recovery finds them");
    });
}

/// Writes what has ended.
async fn flush(engine: &Arc<Engine>, limit: Duration) {
    wait_until(engine, limit, |engine| {
        let (all, bodies) = engine.running.count();
        all == bodies
    })
    .await;
    tell_each(engine, true, |executions| {
        warn!(executions, "outcomes could not be written before the end: recovery finds their rows");
    });
}

/// Tells of the executions that are left, those that have ended or those that have not: each by its job and id.
fn tell_each(engine: &Engine, ended: bool, tell: impl Fn(&str)) {
    /// How many a line names.
    const A_LINE: usize = 50;
    let left: Vec<_> = engine.running.all().into_iter().filter(|execution| execution.ended == ended).collect();
    for some in left.chunks(A_LINE) {
        let name = |one: &RunningExecution| format!("{} {}", engine.jobs.get(one.job).settings().id, one.execution_id);
        tell(&some.iter().map(name).collect::<Vec<_>>().join(", "));
    }
}

/// How long it is until an uptime.
fn left_until(engine: &Engine, uptime: Duration) -> Duration {
    uptime.saturating_sub(engine.clock.uptime())
}

/// Gives back what this instance holds without running it: claims whose answer was lost, and keys kept for retries.
async fn give_back(engine: &Arc<Engine>) {
    unconfirmed::run_once(engine).await;
    for kept in engine.running.kept() {
        engine.release(engine.running.take_kept(kept.execution_id).map(|kept| kept.lock)).await;
    }
}

async fn wait_until(engine: &Engine, limit: Duration, done: impl Fn(&Engine) -> bool) {
    let sleep = engine.clock.sleep(limit);
    tokio::pin!(sleep);
    loop {
        let left = engine.running.left.notified();
        tokio::pin!(left);
        // Registered before the count is read, so that no change between the two is missed.
        left.as_mut().enable();
        if done(engine) {
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
        if self.shutdown.take().is_none() {
            return;
        }
        self.health.dropped();
        // A scheduler without a thread is a test's, which is dropped at its end.
        if self.thread.is_some() {
            error!(
                "the scheduler was dropped without `shutdown`, and starts nothing any more; what ran is found by recovery. Keep what `start` returned for as long as the service runs"
            );
        }
    }
}
