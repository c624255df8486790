//! The suite of lock backends.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use scheduler_core::{
    conformance::LockHarness,
    identity::JobId,
    lock::{CURSOR_LIFE, LockBackend},
};

use crate::server::{connection, locks, namespace, url};

struct Harness {
    locks: Arc<dyn LockBackend>,
    namespace: String,
    connection: redis::aio::MultiplexedConnection,
}

async fn harness() -> Harness {
    let namespace = namespace();
    Harness { locks: locks(&url("REDIS_URL"), &namespace).attach(), namespace, connection: connection().await }
}

impl Harness {
    async fn millis(&self) -> i64 {
        let (seconds, micros): (i64, i64) =
            redis::cmd("TIME").query_async(&mut self.connection.clone()).await.expect("Redis tells its time");
        seconds * 1_000 + micros / 1_000
    }
}

#[async_trait]
impl LockHarness for Harness {
    fn locks(&self) -> Arc<dyn LockBackend> {
        Arc::clone(&self.locks)
    }

    async fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.millis().await).expect("a time that chrono knows")
    }

    async fn pass(&self, time: Duration) {
        // By the server's clock, which is the backend's: a timer of this process may run ahead of it.
        let end = self.millis().await + i64::try_from(time.as_millis()).expect("a short time") + 1;
        loop {
            let left = u64::try_from(end - self.millis().await).unwrap_or(0);
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left)).await;
        }
    }

    async fn cursor_life(&self, job: &JobId) -> Option<Duration> {
        let key = format!("{}:{job}", self.namespace);
        let moved_at: Option<i64> = redis::cmd("HGET")
            .arg(&[&key, "moved_at"])
            .query_async(&mut self.connection.clone())
            .await
            .expect("a hash");
        let age = u64::try_from(self.millis().await - moved_at?).unwrap_or(0);
        Some(CURSOR_LIFE.saturating_sub(Duration::from_millis(age)))
    }
}

scheduler_core::lock_conformance!(harness);
