//! Asks whoever holds a key that a row is queued for to stop (R17, `cancel_running`).
//!
//! The claim that queued the row asked the holder of that moment. Another may have taken the key since, such as a row that
//! waited for longer, and a request is lost with the lease it was left on: so it is asked again at each look.

use std::{sync::Arc, time::Duration};

use crate::{
    engine::{Engine, Stop, limited},
    identity::JobId,
};

/// How many jobs are asked for in one trip.
const BATCH: usize = 1_000;

/// How long a trip may take.
const LIMIT: Duration = Duration::from_secs(5);

/// One look. A holder of another instance is told by its next renewal.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let jobs: Vec<JobId> = engine.jobs.yielding().collect();
    for jobs in jobs.chunks(BATCH) {
        match limited(&*engine.clock, LIMIT, "ask holders to stop", engine.store.make_way(jobs)).await {
            Ok(asked) => asked.into_iter().for_each(|holder| engine.stop(holder, Stop::ByRequest)),
            Err(error) => return engine.health.store_failed(&error),
        }
    }
}
