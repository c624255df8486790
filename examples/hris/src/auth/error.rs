//! Why a caller is turned away.

use thiserror::Error;

/// Why a caller is turned away. What the token held is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no `Authorization` header.
    #[error("a bearer token is needed")]
    Missing,
    /// The header, the token or its claims do not have the right form, or the algorithm is not HS256.
    #[error("the bearer token is malformed")]
    Malformed,
    /// The token was signed with another secret.
    #[error("the bearer token's signature is wrong")]
    BadSignature,
    /// The token's time is over.
    #[error("the bearer token has expired")]
    Expired,
    /// The token is good, but names a role that is none of ours.
    #[error("the bearer token's role is unknown")]
    UnknownRole,
}

/// What to answer a caller who is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthErrorKind {
    /// 401: we do not know who calls.
    Unauthenticated,
    /// 403: we know, and they may not.
    Forbidden,
}

impl AuthError {
    /// What to answer.
    #[must_use]
    pub const fn kind(self) -> AuthErrorKind {
        match self {
            Self::Missing | Self::Malformed | Self::BadSignature | Self::Expired => AuthErrorKind::Unauthenticated,
            Self::UnknownRole => AuthErrorKind::Forbidden,
        }
    }
}
