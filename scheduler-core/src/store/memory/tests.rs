use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;

use super::MemoryStore;
use crate::{
    clock::ManualClock,
    conformance::StoreHarness,
    identity::{ExecutionId, JobId},
    store::{Pause, Store},
};

crate::store_conformance!(harness);

struct Harness {
    store: Arc<MemoryStore>,
    clock: ManualClock,
}

async fn harness() -> Harness {
    let clock = ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"));
    Harness { store: Arc::new(MemoryStore::new().with_clock(Arc::new(clock.clone()))), clock }
}

#[async_trait]
impl StoreHarness for Harness {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn expire_lease(&self, execution: ExecutionId) {
        self.store.expire_lease(execution);
    }

    async fn set_pause(&self, job: &JobId, pause: Option<Pause>) {
        self.store.set_pause(job, pause);
    }
}
