//! Finds pauses whose time is over (R23).
//!
//! The next pass over the job ends one. A pass looks only at jobs with occurrences that went by (R12), and what waits,
//! such as a retry, goes on with the pause's end whether or not there is one.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;

use crate::engine::{Due, Engine, limited};

/// How many are found in one trip; the others come with the next look.
const BATCH: usize = 1_000;

/// How long a trip may take.
const LIMIT: Duration = Duration::from_secs(5);

/// One look.
pub(crate) async fn run_once(engine: &Arc<Engine>) {
    let found = limited(&*engine.clock, LIMIT, "look for pauses that are over", engine.store.pauses_over(BATCH)).await;
    match found {
        Ok(jobs) => {
            for job in jobs.iter().filter_map(|job_id| engine.jobs.find(job_id)) {
                if engine.jobs.get(job).is_current() {
                    engine.undecided.note(Due::at_its_instant(job, DateTime::UNIX_EPOCH));
                }
            }
        }
        Err(error) => engine.health.store_failed(&error),
    }
}
