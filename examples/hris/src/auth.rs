//! Who calls: bearer tokens with a role.

mod authenticator;
mod error;
mod provider;
mod role;
mod secret;
mod tokens;

pub use authenticator::{BearerTokens, roles};
pub use error::AuthError;
pub use role::Role;
pub use secret::{InvalidSecret, Secret};
pub use tokens::{Identity, Tokens};
