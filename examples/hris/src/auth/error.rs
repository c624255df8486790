//! Why a caller is turned away.

use thiserror::Error;

/// Why nobody knows who calls. What the token held is not repeated.
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
}
