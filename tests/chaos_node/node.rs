//! A service of the chaos run.

use std::{process::ExitCode, time::Duration};

use scheduler::{
    Scheduler, SchedulerHandle, TriggerRequest,
    clock::{Clock as _, SystemClock},
    identity::JobId,
    postgres::PostgresStore,
    redis::RedisLocks,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    effects::Effects,
    jobs::{self, KINDS},
    setting,
};

/// How often the job on request is requested, in seconds: by every node under the same key, so that one request counts.
pub(crate) const REQUEST_EVERY: i64 = 2;

/// How long a stop lets bodies end.
const DRAIN: Duration = Duration::from_secs(2);

pub(crate) async fn run() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let effects = Effects::open(&setting("CHAOS_EFFECTS"));
    let store = PostgresStore::connect_lazy(&setting("DATABASE_URL")).expect("a URL");
    let locks = RedisLocks::connect_lazy(&setting("REDIS_URL")).expect("a URL");
    let jobs = KINDS.iter().map(|kind| jobs::job(kind, &effects));
    let scheduler = Scheduler::builder(store).lock_backend(locks).jobs(jobs).build().expect("valid jobs");
    let scheduler = match scheduler.start().await {
        Ok(scheduler) => scheduler,
        Err(error) => {
            // A backend is away: whoever started this process starts another.
            eprintln!("not started: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("started {}", scheduler.handle().instance());
    let requests = tokio::spawn(request(scheduler.handle().clone()));
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    terminate.recv().await;
    requests.abort();
    tokio::select! {
        () = scheduler.shutdown(DRAIN) => ExitCode::SUCCESS,
        _ = terminate.recv() => ExitCode::FAILURE,
    }
}

/// Requests the job on request, under a key that all nodes share.
async fn request(handle: SchedulerHandle) {
    loop {
        let now = SystemClock.now().timestamp();
        let key = format!("request-{}", now - now % REQUEST_EVERY);
        let request = TriggerRequest::new(JobId::parse("requested").expect("valid")).with_idempotency_key(key);
        // A store that is away, or a key that is held: the next one comes.
        let _ = handle.trigger(request).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
