//! When a job is due: cron expressions, time zones and the next occurrence.
