//! The attribute #[scheduled_job].
