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
    let (word, number) = match &value {
        Value::Array(parts) => match &parts[..] {
            [Value::BulkString(word)] => (&word[..], None),
            [Value::BulkString(word), Value::Int(number)] => (&word[..], Some(*number)),
            _ => (&[][..], None),
        },
        _ => (&[][..], None),
    };
    Ok(match (word, number, request.mode) {
        (b"granted", None, LockMode::Filter) => Acquired::Granted(None),
        (b"granted", Some(fence), LockMode::Lease { exclusive, .. }) => Acquired::Granted(Some(LockLease {
            job_id: request.job_id.clone(),
            owner: request.owner,
            fence: FencingToken(fence),
            exclusive,
        })),
        (b"not_due", Some(micros @ 1..), _) => {
            Acquired::NotDue { remaining: Duration::from_micros(micros.unsigned_abs()) }
        }
        (b"claimed", None, _) => Acquired::AlreadyClaimed,
        (b"held", None, _) => Acquired::Held,
        _ => {
            let problem = format!("it answers a request for a key with `{value:?}`");
            return Err(RedisError::Reply { server: link.config().server(), problem });
        }
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
