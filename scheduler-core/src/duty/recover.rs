//! Finds runs whose instance was lost (R6).

use std::{sync::Arc, time::Duration};

use tracing::warn;

use super::heartbeat;
use crate::{
    engine::{Engine, limited},
    event::Event,
    store::RecoverRequest,
};

/// How many rows are recovered in one trip.
const BATCH: usize = 100;

/// How long a trip may take.
const LIMIT: Duration = Duration::from_secs(10);

/// One look. An instance whose own heartbeats were not healthy for a whole lease finds nothing: it can't tell
/// another's silence from the store's.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let is_healthy = || engine.healthy_for() >= engine.jobs.longest_lease();
    // The store's clock may have been stepped since the last heartbeat, and with it every lease's end.
    if !is_healthy() || heartbeat::run_once(engine).await.is_err() || !is_healthy() {
        return;
    }
    let healthy_for = engine.healthy_for();
    loop {
        let request = RecoverRequest { instance: engine.instance, healthy_for, limit: BATCH };
        let recovered = match limited(&*engine.clock, LIMIT, "recover executions", engine.store.recover(&request)).await
        {
            Ok(recovered) => recovered,
            Err(error) => {
                engine.health.store_failed(&error);
                return;
            }
        };
        engine.health.store_answered();
        for found in &recovered {
            engine.events.tell(Event::Abandoned {
                job_id: found.job_id.clone(),
                execution_id: found.execution_id,
                instance: found.instance,
                next: found.next,
            });
            let instance = found.instance.map(|instance| instance.to_string()).unwrap_or_default();
            let next = if found.next.is_some() { "the next attempt follows" } else { "no attempt follows" };
            warn!(job_id = %found.job_id, occurrence = %found.occurrence, attempt = found.attempt, instance, "an execution was abandoned: its instance is gone; {next}");
        }
        if recovered.iter().any(|found| found.next.is_some()) {
            engine.look.notify_one();
        }
        if recovered.len() < BATCH {
            return;
        }
    }
}
