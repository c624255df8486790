use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use scheduler_core::{conformance::LockHarness, identity::JobId, lock::LockBackend};
use scheduler_redis::RedisLocks;

use crate::server;

scheduler_core::lock_conformance!(harness);

struct Harness {
    locks: Arc<RedisLocks>,
    beside: MultiplexedConnection,
}

async fn harness() -> Harness {
    Harness { locks: Arc::new(server::locks()), beside: server::beside().await }
}

#[async_trait]
impl LockHarness for Harness {
    fn locks(&self) -> Arc<dyn LockBackend> {
        Arc::clone(&self.locks) as Arc<dyn LockBackend>
    }

    async fn now(&self) -> DateTime<Utc> {
        let (seconds, micros): (i64, u32) =
            redis::cmd("TIME").query_async(&mut self.beside.clone()).await.expect("the server answers");
        DateTime::from_timestamp(seconds, micros * 1_000).expect("in range")
    }

    async fn pass(&self, time: Duration) {
        // By the server's clock: a timer of this process may run ahead of it.
        let end = self.now().await + time;
        while let Some(left) = (end - self.now().await).to_std().ok().filter(|left| !left.is_zero()) {
            tokio::time::sleep(left).await;
        }
    }

    async fn cursor_life(&self, job: &JobId) -> Option<Duration> {
        let key = format!("{}:{job}", self.locks.namespace());
        let life: i64 = self.beside.clone().pttl(key).await.expect("the server answers");
        // Below zero where there is no key.
        u64::try_from(life).ok().map(Duration::from_millis)
    }
}
