//! The reference service: an HRIS with its attendance job.

pub mod attendance;
pub mod auth;
mod hris;
pub mod jobs;
mod settings;
pub mod workforce;

pub use hris::Hris;
pub use settings::{Settings, SettingsError};
