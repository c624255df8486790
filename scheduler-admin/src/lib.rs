//! The admin API: an axum router over a running scheduler.
