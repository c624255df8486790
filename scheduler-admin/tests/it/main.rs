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
#[cfg(feature = "dashboard")]
mod logs;
mod openapi;
mod operators;
#[cfg(feature = "dashboard")]
mod pages;
#[cfg(feature = "dashboard")]
mod scene;
mod service;
mod store;
mod stores;
mod trigger;
