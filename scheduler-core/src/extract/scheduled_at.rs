//! The nominal instant of an execution.

use std::ops::Deref;

use chrono::DateTime;
use scheduler_cron::NamedZone;

use super::FromContext;
use crate::{context::JobContext, outcome::JobError};

/// The nominal instant of the execution, in the job's zone (UTC for a job without one).
///
/// It is the occurrence's, however late the attempt starts: a catch-up at noon still says half past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduledAt(pub DateTime<NamedZone>);

impl Deref for ScheduledAt {
    type Target = DateTime<NamedZone>;

    fn deref(&self) -> &DateTime<NamedZone> {
        &self.0
    }
}

impl FromContext for ScheduledAt {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        Ok(Self(context.scheduled_at()))
    }
}
