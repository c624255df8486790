//! The reference service: an HRIS with its attendance job.
//!
//! [`Service`] is the whole of it, [`jobs`] are what it is for, [`attendance`] and [`workforce`] are what they do it
//! with, and [`auth`] says who may ask for it.

pub mod attendance;
pub mod auth;
pub mod cli;
mod hris;
pub mod jobs;
mod migration;
mod service;
mod settings;
mod signal;
mod telemetry;
mod worker;
pub mod workforce;

pub use hris::Hris;
pub use migration::{MigrateError, Migrated, migrate};
pub use service::{Service, ServiceError};
pub use settings::{Settings, SettingsError};
pub use signal::StopSignals;
pub use telemetry::{Telemetry, TelemetryError};
pub use worker::Worker;
