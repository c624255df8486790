//! The servers that the tests use.

use scheduler_redis::RedisLocks;
use uuid::Uuid;

/// The URL in this variable; a test without its server fails.
pub(crate) fn url(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("`{variable}` is not set: run the tests by `cargo xtask test`, or start the servers by `cargo xtask services up` and export what it prints"))
}

/// A prefix of keys that no other test has.
pub(crate) fn namespace() -> String {
    format!("test:{}", Uuid::new_v4().simple())
}

/// Locks under a prefix of their own.
pub(crate) fn locks(url: &str, namespace: &str) -> RedisLocks {
    RedisLocks::connect_lazy(url).expect("a Redis URL").with_namespace(namespace).expect("a valid namespace")
}

/// A connection of the test's own.
pub(crate) async fn connection() -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(url("REDIS_URL")).expect("a Redis URL");
    client.get_multiplexed_async_connection().await.expect("Redis of `REDIS_URL` answers")
}
