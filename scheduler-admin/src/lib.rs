//! The admin API: an axum router over a running scheduler.

mod api;
mod authorize;
mod envelope;
mod error;
mod execution;
mod guard;
mod health;
mod job;
mod page;
mod path;
mod query;
mod time;
mod trigger;

pub use api::AdminApi;
pub use async_trait::async_trait;
pub use authorize::{Actor, AuthError, Authorizer, Permission};
pub use health::health_router;
pub use path::PREFIX;
