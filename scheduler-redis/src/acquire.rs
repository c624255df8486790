//! Requests for keys as `acquire.lua` reads them, and its answers as the engine does. Instants and lives are in microseconds.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::Value;
use scheduler_core::{
    identity::FencingToken,
    lock::{AcquireRequest, Acquired, LockLease, LockMode},
};

use crate::{
    error::RedisError,
    link::Link,
    script::{Argument, Call},
};

/// A request as the script's key and arguments.
pub(crate) fn call(key: String, request: &AcquireRequest) -> Call {
    let asked = match request.mode {
        LockMode::Lease { ttl, exclusive: true } => micros(ttl),
        LockMode::Lease { exclusive: false, .. } => Argument::Word("shared"),
        // The enum may grow; what is not known here asks for the least.
        _ => Argument::Word("filter"),
    };
    let (scheduled_at, not_before) = match request.occurrence {
        Some(occurrence) => (
            Argument::Number(occurrence.scheduled_at.timestamp_micros()),
            Argument::Number(instant_after(occurrence.not_before)),
        ),
        None => (Argument::Word(""), Argument::Word("")),
    };
    Call { key, arguments: vec![Argument::Text(request.owner.to_string()), scheduled_at, not_before, asked] }
}

/// A lease's life, as the scripts read it.
pub(crate) fn micros(life: Duration) -> Argument {
    Argument::Number(i64::try_from(life.as_micros()).unwrap_or(i64::MAX))
}

/// The script's answer to a request.
pub(crate) fn answer(request: &AcquireRequest, value: &Value, link: &Link) -> Result<Acquired, RedisError> {
    let lease = |fence, exclusive| LockLease {
        job_id: request.job_id.clone(),
        owner: request.owner,
        fence: FencingToken(fence),
        exclusive,
    };
    Ok(match (value, request.mode) {
        (Value::Int(0), LockMode::Filter) => Acquired::Granted(None),
        (Value::Int(fence @ 1..), LockMode::Lease { exclusive, .. }) => {
            Acquired::Granted(Some(lease(*fence, exclusive)))
        }
        (Value::Int(left @ ..0), _) => Acquired::NotDue { remaining: Duration::from_micros(left.unsigned_abs()) },
        (Value::BulkString(word), _) if word == b"claimed" => Acquired::AlreadyClaimed,
        (Value::BulkString(word), _) if word == b"held" => Acquired::Held,
        _ => return Err(link.unexpected("a request for a key", value)),
    })
}

/// The first microsecond that is not before the instant.
fn instant_after(at: DateTime<Utc>) -> i64 {
    let rest = at.timestamp_subsec_nanos() % 1_000;
    at.timestamp_micros() + i64::from(rest > 0)
}
