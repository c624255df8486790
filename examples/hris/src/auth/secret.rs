//! The key that tokens are signed with.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

/// HS256 wants a key as long as its hash, 32 bytes (RFC 7518, section 3.2).
const MIN_BYTES: usize = 32;

/// The key that tokens are signed with; its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// The key is too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("has {bytes} bytes, but must have at least {MIN_BYTES}, such as those of `openssl rand -hex 32`")]
pub struct InvalidSecret {
    bytes: usize,
}

impl Secret {
    /// A key of at least 32 bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn try_new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidSecret> {
        let bytes = bytes.into();
        if bytes.len() < MIN_BYTES { Err(InvalidSecret { bytes: bytes.len() }) } else { Ok(Self(bytes)) }
    }

    /// A key that nobody knows, of three random UUIDs: 366 bits from the operating system.
    #[must_use]
    pub fn random() -> Self {
        Self((0..3).flat_map(|_| uuid::Uuid::new_v4().into_bytes()).collect())
    }

    /// A key for another purpose, from which this one can't be told.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("an HMAC takes a key of any length");
        mac.chain_update(purpose).finalize().into_bytes().to_vec()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
