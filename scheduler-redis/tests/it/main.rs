//! The lock backend on a real Redis.

mod conformance;
mod faults;
mod server;
mod start;
mod tls;
