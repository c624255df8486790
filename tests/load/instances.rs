//! Instances on one database, whose statements are counted.

use std::time::Duration;

use scheduler::{RunningScheduler, Scheduler, job::Job, postgres::PostgresStore, redis::RedisLocks};
use scheduler_tests::{Database, Proxy, server};

/// Schedulers in this process that share nothing but their servers.
#[derive(Debug)]
pub(crate) struct Instances {
    pub(crate) proxy: Proxy,
    running: Vec<RunningScheduler>,
}

impl Instances {
    /// Starts this many with the same jobs.
    pub(crate) async fn start(database: &Database, count: usize, redis: bool, jobs: impl Fn() -> Vec<Job>) -> Self {
        let url = database.url();
        // The statements have to be read.
        let plain = format!("{url}{}sslmode=disable", if url.contains('?') { '&' } else { '?' });
        let (proxy, url) = Proxy::in_front_of(&plain).await;
        let mut running = Vec::new();
        for _ in 0..count {
            let store = PostgresStore::connect(&url).await.expect("the database answers");
            let mut builder = Scheduler::builder(store).jobs(jobs());
            if redis {
                let locks = RedisLocks::connect(&server("REDIS_URL")).await.expect("Redis answers");
                builder = builder.lock_backend(locks.with_namespace(database.name()).expect("a valid namespace"));
            }
            running.push(builder.build().expect("valid jobs").start().await.expect("the servers answer"));
        }
        Self { proxy, running }
    }

    /// Stops all at once.
    pub(crate) async fn stop(self) {
        let stops: Vec<_> =
            self.running.into_iter().map(|running| tokio::spawn(running.shutdown(Duration::from_secs(10)))).collect();
        for stop in stops {
            stop.await.expect("a stop does not panic");
        }
    }
}
