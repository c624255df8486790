//! Due each time a period has passed.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::TriggerError;
use crate::duration::format_duration;

/// Longer than any period makes sense: the calendar of occurrences has 230 years.
const LONGEST: Duration = Duration::from_secs(200 * 366 * 86_400);

/// Occurrences at a fixed distance, counted from an anchor in both directions; clocks and zones do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EveryTrigger {
    period_ms: i64,
    anchor: DateTime<Utc>,
}

impl EveryTrigger {
    /// Counts from the Unix epoch.
    ///
    /// # Errors
    ///
    /// A period that is zero or not whole milliseconds.
    pub fn new(period: Duration) -> Result<EveryTrigger, TriggerError> {
        let whole = period.subsec_nanos().is_multiple_of(1_000_000);
        if period.is_zero() || !whole || period > LONGEST {
            return Err(TriggerError::Period(period));
        }
        Ok(EveryTrigger { period_ms: period.as_millis() as i64, anchor: DateTime::UNIX_EPOCH })
    }

    /// Counts from another instant, cut to its millisecond.
    pub fn with_anchor(self, anchor: DateTime<Utc>) -> EveryTrigger {
        let anchor = DateTime::from_timestamp_millis(anchor.timestamp_millis()).unwrap_or(anchor);
        EveryTrigger { anchor, ..self }
    }

    /// The distance of two occurrences.
    pub fn period(&self) -> Duration {
        Duration::from_millis(self.period_ms.unsigned_abs())
    }

    /// An instant that is an occurrence, and from which the others are counted.
    pub fn anchor(&self) -> DateTime<Utc> {
        self.anchor
    }

    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // The millisecond that has begun counts as past: the next whole one is strictly later.
        let since = after.timestamp_millis() - self.anchor.timestamp_millis();
        self.anchor.checked_add_signed(TimeDelta::milliseconds((since.div_euclid(self.period_ms) + 1) * self.period_ms))
    }

    pub(super) fn prev_before(&self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let whole = before.timestamp_subsec_nanos().is_multiple_of(1_000_000);
        let since = before.timestamp_millis() - i64::from(whole) - self.anchor.timestamp_millis();
        self.anchor.checked_add_signed(TimeDelta::milliseconds(since.div_euclid(self.period_ms) * self.period_ms))
    }

    pub(super) fn covers(&self, instant: DateTime<Utc>) -> bool {
        let since = instant.signed_duration_since(self.anchor);
        since.num_milliseconds() % self.period_ms == 0 && since == TimeDelta::milliseconds(since.num_milliseconds())
    }
}

/// `every 5m`, and the anchor where it is not the epoch.
impl fmt::Display for EveryTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {}", format_duration(self.period()))?;
        if self.anchor != DateTime::UNIX_EPOCH {
            write!(f, " from {}", self.anchor.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))?;
        }
        Ok(())
    }
}
