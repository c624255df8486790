//! Instants in answers.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

/// RFC 3339 with the zone's offset then, with as many decimals as the instant has (`2025-11-03T00:30:00+07:00`).
pub(crate) fn text<Z: TimeZone>(at: &DateTime<Z>) -> String
where
    Z::Offset: std::fmt::Display,
{
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The same, of an instant seen in a zone.
pub(crate) fn text_in(at: DateTime<Utc>, zone: Tz) -> String {
    text(&at.with_timezone(&zone))
}
