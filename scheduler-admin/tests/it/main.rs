//! The whole router over a running scheduler.

mod authorization;
mod bad_input;
mod executions;
mod failures;
mod health;
mod jobs;
mod operators;
mod service;
mod store;
mod trigger;
