//! The whole router over a running scheduler.

mod authorization;
mod bad_input;
#[cfg(feature = "dashboard")]
mod browser;
#[cfg(feature = "dashboard")]
mod dashboard;
mod events;
mod executions;
mod failures;
mod health;
mod jobs;
mod limits;
mod openapi;
mod operators;
mod service;
mod store;
mod stores;
mod trigger;
