//! The backend on a real server.

mod conformance;
mod server;
