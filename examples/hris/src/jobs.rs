//! The jobs of the service.

mod attendance;
mod demo_tick;

pub use attendance::auto_create_daily_attendance;
pub use demo_tick::demo_tick;
