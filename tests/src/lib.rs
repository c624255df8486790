//! What the tests of the whole house need: databases of their own, processes, a proxy that counts, HTTP.

mod database;
mod http;
pub mod ledger;
mod pooler;
mod process;
mod proxy;
mod statements;

pub use database::{Database, connect};
pub use http::{Answer, Api};
pub use pooler::Pooler;
pub use process::Process;
pub use proxy::Proxy;

/// The URL of a server that the tests need, from this variable.
///
/// # Panics
/// When it is not set: a test without its server fails, it is never left out.
#[must_use]
pub fn server(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("`{variable}` is not set: run the tests by `cargo xtask test`, or start the servers by `cargo xtask services up` and export what it prints"))
}
