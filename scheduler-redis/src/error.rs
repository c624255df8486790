//! What an error of the server means for the caller.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use scheduler_core::lock::LockError;

/// An error with the server it came from; never a password.
#[derive(Debug, thiserror::Error)]
#[error("Redis at {address}: {hint}")]
struct At {
    address: String,
    hint: &'static str,
    #[source]
    source: RedisError,
}

/// The error as the engine sees it.
pub(crate) fn of(operation: &'static str, address: &str, source: RedisError) -> LockError {
    let (hint, retryable) = meaning(&source);
    let source = Box::new(At { address: address.to_owned(), hint, source });
    if retryable { LockError::Unavailable { operation, source } } else { LockError::Rejected { operation, source } }
}

/// What to do about it, and whether trying again can help.
fn meaning(error: &RedisError) -> (&'static str, bool) {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS" | "NOAUTH")) => {
            ("the user or password is wrong; look at the URL", false)
        }
        (_, Some("NOPERM")) => {
            ("the user lacks a permission; it needs EVAL, HGET, HMGET, HSET, HDEL, PEXPIRE, TIME and PING", false)
        }
        (
            ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain),
            _,
        ) => ("the server is not ready yet", true),
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => ("the server is a replica, as after a failover", true),
        (_, Some("OOM")) => ("the server's memory is full", true),
        _ if error.is_connection_refusal() => ("nothing listens there; is the server up?", true),
        _ if error.is_timeout() => ("no answer in time", true),
        (ErrorKind::Io, _) => ("the connection failed", true),
        _ => ("the server refused", false),
    }
}
