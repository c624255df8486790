//! The server that the tests talk to.

use redis::aio::MultiplexedConnection;
use scheduler_redis::RedisLocks;
use uuid::Uuid;

/// A variable that the test command sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or `cargo xtask services up` and what it prints")
    })
}

/// The server's URL.
pub(crate) fn url() -> String {
    variable("REDIS_URL")
}

/// A namespace that nobody else has.
pub(crate) fn namespace() -> String {
    format!("test:{}", Uuid::new_v4())
}

/// A backend whose keys are its own.
pub(crate) fn locks() -> RedisLocks {
    RedisLocks::connect_lazy(&url()).and_then(|locks| locks.with_namespace(&namespace())).expect("a valid URL")
}

/// A connection beside the backend's.
pub(crate) async fn beside() -> MultiplexedConnection {
    let client = redis::Client::open(url()).expect("a valid URL");
    client.get_multiplexed_async_connection().await.expect("the server answers")
}
