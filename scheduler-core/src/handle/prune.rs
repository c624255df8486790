//! Deleting rows that nobody needs (R21).

use chrono::{DateTime, Utc};
use tracing::info;

use super::SchedulerHandle;
use crate::store::{PruneRequest, StoreError};

/// How many rows are deleted in one trip.
const BATCH: usize = 1_000;

impl SchedulerHandle {
    /// Deletes this instance's jobs' rows that are older than this, batch by batch, and answers how many. Of each job the
    /// rows stay that may still decide what it owes: those of its catch-up window, its start deadline and a day.
    ///
    /// # Errors
    /// When the store does not answer within 10 s; what was deleted until then stays deleted.
    ///
    /// # Cancel safety
    /// Dropped, it deletes no more than the batch that is under way.
    pub async fn prune(&self, older_than: DateTime<Utc>) -> Result<usize, StoreError> {
        let mut rows = 0;
        for job in self.definitions() {
            let settings = job.settings();
            let before = older_than.min(settings.prunable_before(self.0.clock.now()));
            let request = PruneRequest { job_id: Some(settings.id.clone()), before, limit: BATCH };
            loop {
                let pruned = self.limited("prune the history", self.0.store.prune(&request)).await?;
                rows += pruned.rows;
                // Where others have all of them locked, they are left for the next time.
                if !pruned.more || pruned.rows == 0 {
                    break;
                }
            }
        }
        if rows > 0 {
            info!(rows, %older_than, "old executions were deleted");
        }
        Ok(rows)
    }
}
