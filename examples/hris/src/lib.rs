//! The reference service: an HRIS with its attendance job.

pub mod attendance;
mod hris;
pub mod jobs;
pub mod workforce;

pub use hris::Hris;
