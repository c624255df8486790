//! Bearer tokens, issued and read.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind};
use scheduler::clock::Clock;
use serde::{Deserialize, Serialize};

use super::{AuthError, Role, Secret, provider};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`.
    pub subject: String,
    /// The token's `role`; `None` for one that is none of ours, whose bearer may do nothing.
    pub role: Option<Role>,
    /// The token's `exp`.
    pub expires_at: DateTime<Utc>,
}

/// Issues and reads bearer tokens: JWT, HS256, with the claims `sub`, `role` and `exp`.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    clock: Arc<dyn Clock>,
}

/// All three are required.
#[derive(Serialize, Deserialize)]
struct Claims<Seconds> {
    sub: String,
    role: String,
    /// Seconds since the Unix epoch: written whole, read with a fraction too, as RFC 7519's NumericDate may have one.
    exp: Seconds,
}

impl Tokens {
    /// Tokens signed with this secret; whether they have expired is this clock's to say, to the second.
    #[must_use]
    pub fn new(secret: &Secret, clock: Arc<dyn Clock>) -> Self {
        provider::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Asked of our clock instead, in `authenticate`.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            clock,
        }
    }

    /// A token that ends after this time.
    ///
    /// # Panics
    /// Never: a text and a number can always be signed.
    #[must_use]
    pub fn issue(&self, subject: &str, role: Role, ttl: Duration) -> String {
        let exp = self.clock.now().timestamp().saturating_add_unsigned(ttl.as_secs());
        let claims = Claims { sub: subject.to_owned(), role: role.as_str().to_owned(), exp };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).expect("an HMAC key signs any claims")
    }

    /// Who sent a request with this `Authorization` header.
    ///
    /// # Errors
    /// When there is none, it is no `Bearer` token of ours, or the token has expired.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<Identity, AuthError> {
        let (scheme, token) = authorization.ok_or(AuthError::Missing)?.split_once(' ').ok_or(AuthError::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::Malformed);
        }
        let claims = decode::<Claims<f64>>(token.trim(), &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => AuthError::BadSignature,
                _ => AuthError::Malformed,
            })?
            .claims;
        if claims.sub.is_empty() {
            return Err(AuthError::Malformed);
        }
        if claims.exp <= self.clock.now().timestamp() as f64 {
            return Err(AuthError::Expired);
        }
        // A number beyond all dates is a token that never ends.
        let expires_at = DateTime::from_timestamp(claims.exp as i64, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Ok(Identity { subject: claims.sub, role: Role::named(&claims.role), expires_at })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
