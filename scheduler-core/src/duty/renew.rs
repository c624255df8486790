//! Extends the leases of what runs here (R3), and stops what has lost its own (R4, R5).

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tracing::warn;

use crate::{
    engine::{Engine, RunningExecution, Stop, limited, margin},
    event::Backend,
    identity::ExecutionId,
    metrics,
    store::{HeldLease, RenewedLease},
};

/// One renewal of all leases, in one trip; what it does not return is lost. The lock backend's go beside it, so that
/// neither backend's silence costs the other's leases.
pub(crate) async fn run_once(engine: &Arc<Engine>, limit: Duration) {
    let running = engine.running.all();
    tokio::join!(
        renew_leases(engine, &running, limit),
        renew_locks(engine, &running, limit),
        renew_kept(engine, limit)
    );
}

async fn renew_leases(engine: &Arc<Engine>, running: &[RunningExecution], limit: Duration) {
    let asked_at = engine.clock.uptime();
    let held: Vec<HeldLease> = running
        .iter()
        .map(|run| HeldLease { execution_id: run.execution_id, fence: run.fence, lease: run.lease })
        .collect();
    if held.is_empty() {
        return;
    }
    match limited(&*engine.clock, limit, "renew leases", engine.keeper.renew(&held)).await {
        Ok(renewed) => {
            engine.health.store_answered();
            metrics::leases_renewed(Backend::Store, renewed.len());
            let renewed: HashMap<ExecutionId, RenewedLease> =
                renewed.into_iter().map(|lease| (lease.execution_id, lease)).collect();
            for run in running {
                match renewed.get(&run.execution_id) {
                    Some(lease) => {
                        engine.running.renewed(run.execution_id, run.fence, asked_at);
                        if lease.cancel_requested {
                            engine.stop(run.execution_id, Stop::ByRequest);
                        }
                    }
                    None => lose(engine, run),
                }
            }
        }
        Err(error) => engine.health.store_failed(&error),
    }
}

/// Where the lock backend is the claim, its leases are renewed as well.
async fn renew_locks(engine: &Arc<Engine>, running: &[RunningExecution], limit: Duration) {
    let Some(locks) = engine.claiming_locks() else { return };
    let held = running.iter().filter_map(|run| Some((run, run.lock.as_ref().filter(|lock| lock.exclusive)?)));
    let renewals = held.map(async |(run, lock)| {
        let asked_at = engine.clock.uptime();
        match locks.renew(engine, lock, run.lease, limit).await {
            Ok(true) => {
                engine.health.locks_answered();
                metrics::leases_renewed(Backend::Locks, 1);
                engine.running.lock_renewed(run.execution_id, asked_at);
            }
            Ok(false) => lose(engine, run),
            Err(error) => engine.health.locks_failed(&error, false),
        }
    });
    join_all(renewals).await;
}

/// Extends the keys that are held on for retries; one that is lost is asked for again when its retry is due.
async fn renew_kept(engine: &Arc<Engine>, limit: Duration) {
    let Some(locks) = engine.claiming_locks() else { return };
    let renewals = engine.running.kept().into_iter().map(async |kept| {
        match locks.renew(engine, &kept.lock, kept.lease, limit).await {
            Ok(true) => {}
            Ok(false) => {
                warn!(job_id = %kept.lock.job_id, "the key of a retry that waits was lost: it is asked for again when the retry is due");
                engine.running.take_kept(kept.execution_id);
            }
            Err(error) => engine.health.locks_failed(&error, false),
        }
    });
    join_all(renewals).await;
}

fn lose(engine: &Arc<Engine>, run: &RunningExecution) {
    // One that ended meanwhile has given its lease up itself.
    if engine.running.get(run.execution_id).is_some_and(|run| !run.ended) && run.control.stopped().is_none() {
        let job_id = &engine.jobs.get(run.job).settings().id;
        warn!(%job_id, execution_id = %run.execution_id, "a lease was lost: the body is told to stop");
        engine.stop(run.execution_id, Stop::LeaseLost);
    }
}

/// Tells each body to stop before its lease can expire elsewhere, and drops it when it can (R5).
pub(crate) async fn guard(engine: &Arc<Engine>) {
    /// How often to look at most: new leases may be shorter than those seen.
    const LONGEST: Duration = Duration::from_secs(1);
    /// How soon to look again at the least.
    const SHORTEST: Duration = Duration::from_millis(20);
    loop {
        engine.running.wait_for_any().await;
        let uptime = engine.clock.uptime();
        let mut next = LONGEST;
        for run in engine.running.all().into_iter().filter(|run| !run.ended) {
            let left = run.control.lease_left(uptime);
            let usable = left.saturating_sub(margin(run.lease));
            if left.is_zero() {
                run.control.abort.cancel();
            } else if usable.is_zero() {
                if run.control.stopped().is_none() {
                    let job_id = &engine.jobs.get(run.job).settings().id;
                    warn!(%job_id, execution_id = %run.execution_id, "a lease could not be renewed in time: the body is told to stop");
                }
                engine.stop(run.execution_id, Stop::LeaseLost);
                next = next.min(left);
            } else {
                next = next.min(usable);
            }
        }
        engine.clock.sleep(next.max(SHORTEST)).await;
    }
}
