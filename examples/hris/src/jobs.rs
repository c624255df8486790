//! The jobs of the service.

mod attendance;

pub use attendance::auto_create_daily_attendance;
