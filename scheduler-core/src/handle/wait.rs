//! Waiting for an occurrence's end.

use std::time::Duration;

use super::SchedulerHandle;
use crate::{execution::Execution, identity::JobId, occurrence::OccurrenceKey, store::StoreError};

/// How often the store is asked while another instance may run the occurrence; what ends here is told at once.
const LOOK: Duration = Duration::from_millis(500);

impl SchedulerHandle {
    /// Waits until the occurrence's last attempt has ended, at most this long; answers its newest attempt as it stands.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn wait(
        &self,
        job_id: &JobId,
        occurrence: &OccurrenceKey,
        limit: Duration,
    ) -> Result<Option<Execution>, StoreError> {
        let mut finished = self.0.finished.clone();
        let mut time_is_up = self.0.clock.sleep(limit);
        loop {
            finished.mark_unchanged();
            let read = self.0.store.newest_attempt(job_id, occurrence);
            let newest = self.limited("read an execution", read).await?;
            // The next attempt is inserted with the end of the one before: the newest one's end is the occurrence's.
            if newest.as_ref().is_none_or(|newest| newest.status.is_final()) {
                return Ok(newest);
            }
            let changed = async {
                // The sender goes with the engine; what is left then is to ask from time to time.
                if finished.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                () = changed => {}
                () = self.0.clock.sleep(LOOK) => {}
                () = &mut time_is_up => return Ok(newest),
            }
        }
    }
}
