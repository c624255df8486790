//! The suites that define a store.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use scheduler_core::{
    conformance::StoreHarness,
    identity::{ExecutionId, JobId},
    store::{Pause, Store},
};
use tokio_postgres::Client;

use crate::server::Schema;

struct Harness {
    store: Arc<dyn Store>,
    client: Client,
    _schema: Arc<Schema>,
}

async fn harness() -> Harness {
    let schema = Schema::new();
    let store = Arc::new(schema.store().await);
    Harness { store, client: schema.client().await, _schema: schema }
}

#[async_trait]
impl StoreHarness for Harness {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn pass(&self, time: Duration) {
        // The server's clock can only be waited for.
        tokio::time::sleep(time).await;
    }

    async fn expire_lease(&self, execution: ExecutionId) {
        self.client
            .execute(
                "UPDATE execution_leases SET expires_at = clock_timestamp() - interval '1 millisecond' WHERE execution_id = $1",
                &[&execution.0],
            )
            .await
            .expect("the lease is set");
    }

    async fn set_pause(&self, job: &JobId, pause: Option<Pause>) {
        let (by, reason, until) =
            pause.as_ref().map_or((None, None, None), |pause| (pause.by.clone(), pause.reason.clone(), pause.until));
        self.client
            .execute(
                "UPDATE job_states SET paused_at = $2, paused_by = $3, pause_reason = $4, pause_until = $5 WHERE job_id = $1",
                &[&job.as_str(), &pause.as_ref().map(|pause| pause.at), &by, &reason, &until],
            )
            .await
            .expect("the pause is set");
    }
}

scheduler_core::store_conformance!(harness);
scheduler_core::queue_conformance!(harness);
