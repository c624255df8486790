//! The server that the tests talk to.

use std::{error::Error, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use redis::{IntoConnectionInfo as _, aio::MultiplexedConnection};
use scheduler_core::{
    identity::{InstanceId, JobId},
    lock::{AcquireRequest, Acquired, LockBackend, LockError, LockMode, LockOccurrence},
};
use scheduler_redis::{RedisError, RedisLocks};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use uuid::Uuid;

/// A variable that the test command sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or `cargo xtask services up` and set what it prints")
    })
}

/// The server's URL.
pub(crate) fn url() -> String {
    variable("REDIS_URL")
}

/// The host and port of a URL.
pub(crate) fn address(url: &str) -> String {
    url.into_connection_info().expect("a valid URL").addr().to_string()
}

/// A namespace that nobody else has.
pub(crate) fn namespace() -> String {
    format!("test:{}", Uuid::new_v4())
}

/// A backend at this URL whose keys are its own.
pub(crate) fn locks_at(url: &str) -> RedisLocks {
    RedisLocks::connect_lazy(url).and_then(|locks| locks.with_namespace(&namespace())).expect("a valid URL")
}

/// A backend whose keys are its own.
pub(crate) fn locks() -> RedisLocks {
    locks_at(&url())
}

/// A connection beside the backend's.
pub(crate) async fn beside() -> MultiplexedConnection {
    let client = redis::Client::open(url()).expect("a valid URL");
    client.get_multiplexed_async_connection().await.expect("the server answers")
}

/// A server of one sentence: whatever is asked, this is the answer. Its URL.
pub(crate) async fn that_says(answer: &'static str) -> String {
    that_answers(move |_| answer.to_owned()).await
}

/// A server that is not one: each command, as it is sent, has this answer. Its URL.
pub(crate) async fn that_answers(answer: impl Fn(&str) -> String + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("redis://:s3cret@{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut asked = [0; 16_384];
                while let Ok(length @ 1..) = stream.read(&mut asked).await {
                    // Commands come as arrays; each is answered.
                    let commands = String::from_utf8_lossy(&asked[..length]);
                    let answers: String = commands.split('*').skip(1).map(&answer).collect();
                    stream.write_all(answers.as_bytes()).await.expect("the client listens");
                }
            });
        }
    });
    url
}

/// An occurrence that is due.
pub(crate) fn due() -> DateTime<Utc> {
    // Long ago by any server's clock, and to the second.
    DateTime::from_timestamp(1_700_000_000, 0).expect("in range")
}

pub(crate) fn job(id: &str) -> JobId {
    JobId::parse(id).expect("valid")
}

pub(crate) fn request(id: &str, seconds: i64, mode: LockMode) -> AcquireRequest {
    let at = due() + TimeDelta::seconds(seconds);
    AcquireRequest {
        job_id: job(id),
        owner: InstanceId::random(),
        occurrence: Some(LockOccurrence { scheduled_at: at, not_before: at }),
        mode,
    }
}

/// Asks for one key.
pub(crate) async fn acquire(locks: &RedisLocks, request: AcquireRequest) -> Result<Acquired, LockError> {
    let mut answers = locks.acquire(&[request]).await?;
    assert_eq!(answers.len(), 1);
    Ok(answers.remove(0))
}

/// Asks for an occurrence of the job `daily`, as the filter does.
pub(crate) async fn filter(locks: &RedisLocks, seconds: i64) -> Result<Acquired, LockError> {
    acquire(locks, request("daily", seconds, LockMode::Filter)).await
}

/// Why a backend can't be had at this URL.
pub(crate) async fn why(url: &str) -> RedisError {
    let error = RedisLocks::connect(url).await.expect_err(url);
    let is_retryable = error.is_retryable();
    let cause = error.source().and_then(|cause| cause.downcast_ref::<RedisError>()).expect("ours").clone();
    assert_eq!(cause.is_retryable(), is_retryable, "{error:?}");
    cause
}

/// An error with all that caused it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A backend trait's handle with a connection of its own.
pub(crate) fn attached(locks: &RedisLocks) -> Arc<dyn LockBackend> {
    locks.attach()
}
