//! The lock backend on Redis: who tries (R15).
//!
//! In front of a shared store it spares the store the losers: of N instances one goes on, in one trip of a fraction of
//! a millisecond for all occurrences that are due together. With a store that is not shared, its cursor and lease are
//! the claim, which is weaker than a shared store's: an eviction, a failover to a replica that lags, or a step of the
//! server's clock can grant an occurrence twice or never. `check` warns of a `maxmemory-policy` that evicts.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use scheduler_redis::RedisLocks;
//!
//! let locks = RedisLocks::connect("redis://127.0.0.1:6379").await?.with_namespace("billing")?;
//! # Ok(())
//! # }
//! ```
//!
//! One hash a job, `{namespace}:{job id}`, which lives for seven days after it was last written. Redis 6.2 or newer,
//! or what speaks its protocol; a single server or a primary with replicas, not Redis Cluster.

mod config;
mod connection;
mod error;
mod locks;
mod script;

pub use config::ConfigError;
pub use locks::RedisLocks;
