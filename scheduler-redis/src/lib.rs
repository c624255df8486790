//! The lock backend on Redis 5 or newer.
//!
//! ```no_run
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! use scheduler_redis::RedisLocks;
//!
//! let locks = RedisLocks::connect("rediss://:secret@cache.internal:6379/0").await?.with_namespace("hris")?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees
//!
//! - Redis decides, by its own clock, in a script: of many owners, one is granted an occurrence.
//! - A batch of requests is one round trip on a warm connection, whatever its size, and one script for each 1,000 keys: a
//!   key costs the server 3 to 6 µs. A key that can't be used fails the call that asked for it, and no other.
//! - Calls of many tasks share their trips. One that finds no more than one under way is sent at once; what arrives
//!   meanwhile is gathered for the next. A call that is dropped harms none of the others.
//! - All calls of a handle share one connection, which is made when it is first needed and again after it was lost. A
//!   dead one answers with an error, never with silence.
//! - A key lives at least 7 days from its last grant, and at most an hour longer.
//! - Fences grow, also after a key expired or was evicted, as long as the server's clock doesn't go back.
//!
//! # What it does not
//!
//! With a shared store Redis only spares the store those who would lose, and losing every key costs no more than that.
//! Without one, Redis alone decides, and is weaker than a database: a key that is evicted, or lost in a failover to a
//! replica that was behind, is granted again, and leases follow the server's wall clock. Use `maxmemory-policy
//! noeviction` and persistence there; [`RedisLocks`] warns at the engine's start where the policy evicts.
//!
//! Redis Cluster and Sentinel are not spoken: there is one address, and a `MOVED` is an error. A single server in cluster
//! mode works, as does a proxy before a cluster, if it refuses a script of keys in several slots with `CROSSSLOT`: from the
//! first such refusal on, each key has a script of its own, all of them still in one trip. (Job ids and namespaces have no
//! `{`, so that two keys hardly ever share a slot.) A proxy that looks at a script's first key alone is not supported.
//! The commands used are `PING`, `EVALSHA` and `EVAL` (and in them `TIME`,
//! `HMGET`, `HSET`, `PTTL`, `PEXPIRE`), `HGET`, and `INFO`, without which there is no warning.
//! Every key starts with the namespace and `:`.

mod acquire;
mod config;
mod connection;
mod error;
mod gather;
mod link;
mod locks;
mod script;
mod tls;
mod trip;

pub use config::RedisConfig;
pub use error::RedisError;
pub use locks::RedisLocks;
