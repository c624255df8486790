//! The duties beside the way of an occurrence, one file each: `run_once` has the logic, this file the loops.

pub(crate) mod announce;
pub(crate) mod decide;
pub(crate) mod heartbeat;
pub(crate) mod make_way;
pub(crate) mod pauses;
pub(crate) mod plan;
pub(crate) mod recover;
pub(crate) mod renew;
pub(crate) mod take;
pub(crate) mod unconfirmed;
pub(crate) mod watch;

use std::{sync::Arc, time::Duration};

use crate::engine::Engine;

/// How often an instance looks at what waits, what is owed and what was abandoned (R6, R12).
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// How often an instance shows that it lives, and renews its leases, at most (R3).
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Heartbeats, renewals and the self-fence, until the task is dropped: they go on while the instance drains (R11).
pub(crate) async fn keep_leases(engine: Arc<Engine>) {
    tokio::join!(run_heartbeats(&engine), run_renewals(&engine), renew::guard(&engine));
}

/// The other duties, each when it is due, until the task is dropped. An error ends none of them.
pub(crate) async fn look_around(engine: Arc<Engine>) {
    tokio::join!(run_takes(&engine), run_looks(&engine));
}

async fn run_heartbeats(engine: &Engine) {
    let interval = HEARTBEAT.min(engine.jobs.shortest_lease() / 5);
    loop {
        engine.clock.sleep(interval).await;
        if let Err(error) = heartbeat::run_once(engine).await {
            engine.health.store_failed(&error);
        }
    }
}

async fn run_renewals(engine: &Arc<Engine>) {
    let interval = HEARTBEAT.min(engine.jobs.shortest_lease() / 5);
    loop {
        engine.running.wait_for_any().await;
        engine.clock.sleep(interval).await;
        renew::run_once(engine, interval).await;
    }
}

/// Takes what waits: at each look, and sooner when a hint comes.
async fn run_takes(engine: &Arc<Engine>) {
    let mut looked_at = engine.clock.uptime();
    loop {
        let left = (looked_at + LOOK).saturating_sub(engine.clock.uptime());
        // However often a job is freed, all that waits is looked at in its turn.
        let jobs = tokio::select! {
            biased;
            () = engine.look.notified() => None,
            () = engine.clock.sleep(left) => None,
            jobs = engine.freed.wait() => Some(jobs),
        };
        match jobs {
            Some(jobs) => take::run_for(engine, &jobs).await,
            None => {
                looked_at = engine.clock.uptime();
                take::run_once(engine).await;
            }
        }
    }
}

async fn run_looks(engine: &Arc<Engine>) {
    let mut watch = watch::Watch::default();
    loop {
        engine.clock.sleep(LOOK).await;
        unconfirmed::run_once(engine).await;
        pauses::run_once(engine).await;
        decide::run_once(engine).await;
        recover::run_once(engine).await;
        announce::run_once(engine).await;
        watch.run_once(engine).await;
    }
}
