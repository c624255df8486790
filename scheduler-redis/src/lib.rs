//! The lock backend on Redis.
