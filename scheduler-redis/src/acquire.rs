//! Requests for keys as `acquire.lua` reads them, and its answers as the engine does.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::Value;
use scheduler_core::{
    identity::FencingToken,
    lock::{AcquireRequest, Acquired, CURSOR_LIFE, LockLease, LockMode},
};

use crate::{error::RedisError, link::Link, script::Call};

/// A request as the script's key and arguments.
pub(crate) fn call(key: String, request: &AcquireRequest) -> Call {
    let (mode, ttl) = match request.mode {
        LockMode::Lease { ttl, exclusive: true } => ("exclusive", ttl),
        LockMode::Lease { ttl, exclusive: false } => ("shared", ttl),
        // The enum may grow; what is not known here asks for the least.
        _ => ("filter", Duration::ZERO),
    };
    let (scheduled_at, not_before) = request.occurrence.map_or_else(Default::default, |occurrence| {
        (instant(occurrence.scheduled_at), instant_after(occurrence.not_before))
    });
    let arguments = vec![
        request.owner.to_string(),
        scheduled_at,
        not_before,
        mode.to_owned(),
        ttl.as_micros().to_string(),
        CURSOR_LIFE.as_millis().to_string(),
    ];
    Call { key, arguments }
}

/// The script's answer to a request.
pub(crate) fn answer(request: &AcquireRequest, value: Value, link: &Link) -> Result<Acquired, RedisError> {
    let unexpected = |value: &dyn std::fmt::Debug| RedisError::Reply {
        server: link.config().server(),
        problem: format!("it answers a request for a key with `{value:?}`"),
    };
    let (word, number): (String, Option<i64>) = match &value {
        Value::Array(parts) if matches!(parts.len(), 1 | 2) => {
            let word = parts.first().cloned().map(redis::from_redis_value);
            let number = parts.get(1).cloned().map(redis::from_redis_value);
            match (word, number.transpose()) {
                (Some(Ok(word)), Ok(number)) => (word, number),
                _ => return Err(unexpected(&value)),
            }
        }
        _ => return Err(unexpected(&value)),
    };
    Ok(match (word.as_str(), number, request.mode) {
        ("granted", None, _) => Acquired::Granted(None),
        ("granted", Some(fence), LockMode::Lease { exclusive, .. }) => Acquired::Granted(Some(LockLease {
            job_id: request.job_id.clone(),
            owner: request.owner,
            fence: FencingToken(fence),
            exclusive,
        })),
        ("not_due", Some(micros), _) => {
            Acquired::NotDue { remaining: Duration::from_micros(micros.max(1).unsigned_abs()) }
        }
        ("claimed", None, _) => Acquired::AlreadyClaimed,
        ("held", None, _) => Acquired::Held,
        _ => return Err(unexpected(&value)),
    })
}

/// An instant as the keys have it: microseconds since the Unix epoch.
fn instant(at: DateTime<Utc>) -> String {
    at.timestamp_micros().to_string()
}

/// The first microsecond that is not before the instant.
fn instant_after(at: DateTime<Utc>) -> String {
    let rest = at.timestamp_subsec_nanos() % 1_000;
    (at.timestamp_micros() + i64::from(rest > 0)).to_string()
}
