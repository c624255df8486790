//! The backend on a real server.

mod batch;
mod conformance;
mod connection;
mod eviction;
mod gathered;
mod keys;
mod proxy;
mod refusal;
mod server;
mod spoiled;
mod tls;
