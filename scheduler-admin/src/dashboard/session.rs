//! The session that a cookie carries.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::Principal;

/// The shortest key: as long as the hash (RFC 2104, section 3).
const SHORTEST: usize = 32;
/// How long a session lasts at most; a token that ends sooner ends it.
const LONGEST: TimeDelta = TimeDelta::hours(12);

/// What sessions are signed with; instances that share it take each other's. Its `Debug` does not show it.
#[derive(Clone)]
pub struct SessionKey(Vec<u8>);

/// A key that is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session key of {0} bytes is too short: it needs {SHORTEST}")]
pub struct SessionKeyError(usize);

impl SessionKey {
    /// A key of at least 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn try_new(bytes: impl Into<Vec<u8>>) -> Result<Self, SessionKeyError> {
        let bytes = bytes.into();
        if bytes.len() < SHORTEST { Err(SessionKeyError(bytes.len())) } else { Ok(Self(bytes)) }
    }

    /// A key of this process alone: its sessions end with it, and no other instance takes them.
    #[must_use]
    pub fn random() -> Self {
        Self((0..3).flat_map(|_| Uuid::new_v4().into_bytes()).collect())
    }

    fn tag(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("an HMAC takes a key of any length");
        mac.chain_update(purpose).chain_update([0]).chain_update(text)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// Somebody who has signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    name: String,
    role: String,
    /// Seconds since the Unix epoch.
    ends: i64,
    /// Makes two sessions of one principal differ.
    nonce: Uuid,
}

impl Session {
    pub(super) fn begin(principal: &Principal, now: DateTime<Utc>) -> Self {
        let latest = now + LONGEST;
        let ends = principal.expires_at.map_or(latest, |at| at.min(latest)).timestamp();
        Self { name: principal.name.clone(), role: principal.role.clone(), ends, nonce: Uuid::new_v4() }
    }

    pub(super) fn principal(&self) -> Principal {
        let ends = DateTime::from_timestamp(self.ends, 0).unwrap_or(DateTime::<Utc>::MIN_UTC);
        Principal::new(&self.name, &self.role).until(ends)
    }

    /// For how many seconds it goes on.
    pub(super) fn seconds_left(&self, now: DateTime<Utc>) -> i64 {
        self.ends.saturating_sub(now.timestamp()).max(0)
    }

    /// The cookie's value.
    pub(super) fn sealed(&self, key: &SessionKey) -> String {
        let text = hex(&serde_json::to_vec(self).expect("texts and numbers are always JSON"));
        let tag = hex(&key.tag("session", &text).finalize().into_bytes());
        format!("{text}.{tag}")
    }

    /// The session that a cookie carries, if the key sealed it and it goes on.
    pub(super) fn open(value: &str, key: &SessionKey, now: DateTime<Utc>) -> Option<Self> {
        let (text, tag) = value.split_once('.')?;
        // In constant time.
        key.tag("session", text).verify_slice(&unhex(tag)?).ok()?;
        let session: Self = serde_json::from_slice(&unhex(text)?).ok()?;
        (session.ends > now.timestamp()).then_some(session)
    }

    /// What the forms of this session carry: another site can't read it.
    pub(super) fn csrf(&self, key: &SessionKey) -> String {
        hex(&self.csrf_tag(key).finalize().into_bytes())
    }

    pub(super) fn is_csrf(&self, given: &str, key: &SessionKey) -> bool {
        unhex(given).is_some_and(|given| self.csrf_tag(key).verify_slice(&given).is_ok())
    }

    fn csrf_tag(&self, key: &SessionKey) -> Hmac<Sha256> {
        key.tag("csrf", &serde_json::to_string(self).expect("texts and numbers are always JSON"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? * 16 + digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a date")
    }

    #[test]
    fn a_session_is_opened_by_its_key_until_its_end_and_never_when_changed() {
        let (key, other) = (SessionKey::random(), SessionKey::random());
        let session = Session::begin(&Principal::new("ayu", "hr").until(at(1_100)), at(1_000));
        let sealed = session.sealed(&key);
        assert_eq!(Session::open(&sealed, &key, at(1_099)), Some(session.clone()));
        assert_eq!(Session::open(&sealed, &key, at(1_100)), None);
        assert_eq!(Session::open(&sealed, &other, at(1_000)), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(Session::open(&changed, &key, at(1_000)), None, "{place}");
        }
        for bad in ["", ".", "a", "a.b", "00.", &sealed[..sealed.len() - 2], &format!("{sealed}00")] {
            assert_eq!(Session::open(bad, &key, at(1_000)), None, "{bad}");
        }
    }

    #[test]
    fn a_session_ends_after_twelve_hours_or_with_its_token() {
        let long = Session::begin(&Principal::new("ayu", "hr"), at(0));
        assert_eq!(long.seconds_left(at(0)), 12 * 60 * 60);
        assert_eq!(Session::begin(&Principal::new("ayu", "hr").until(at(60)), at(0)).seconds_left(at(0)), 60);
        assert_eq!(long.principal(), Principal::new("ayu", "hr").until(at(12 * 60 * 60)));
    }

    #[test]
    fn a_form_of_another_session_is_refused() {
        let key = SessionKey::random();
        let principal = Principal::new("ayu", "hr");
        let (own, other) = (Session::begin(&principal, at(0)), Session::begin(&principal, at(0)));
        assert!(own.is_csrf(&own.csrf(&key), &key));
        for given in
            [other.csrf(&key), own.csrf(&SessionKey::random()), String::new(), "00".to_owned(), own.sealed(&key)]
        {
            assert!(!own.is_csrf(&given, &key), "{given}");
        }
    }

    #[test]
    fn a_key_is_long_and_never_shown() {
        assert_eq!(SessionKey::try_new([1; 31]).err(), Some(SessionKeyError(31)));
        let key = SessionKey::try_new(*b"0123456789abcdef0123456789abcdef").expect("it is long");
        assert_eq!(format!("{key:?}"), "SessionKey(…)");
    }
}
