//! The zone seam: stretches of time through which a zone's offset from UTC stays the same.

use std::fmt;

use chrono_tz::Tz;

mod abbreviation;
mod data;
mod named;
mod posix_rule;
mod suggestion;
#[cfg(feature = "system-tz")]
mod system;
mod table;
mod tzif;

pub use data::{ZoneData, zone_data_version};
pub use named::{NamedZone, ZoneOffset};
use suggestion::Suggestion;
#[cfg(feature = "system-tz")]
pub use system::{SystemZone, SystemZoneError, SystemZones};
use table::Table;

/// A stretch of time with one offset, from one clock change to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first second, counted from the Unix epoch; `i64::MIN` if there was no change before.
    pub from: i64,
    /// The second after the last; `i64::MAX` if no change follows.
    pub until: i64,
    /// Seconds that the zone's clock is ahead of UTC.
    pub offset: i32,
}

/// A time zone, as far as occurrences need one.
///
/// [`NamedZone`] and [`chrono_tz::Tz`] implement it, both on the zone data in use. A zone of other data is one method: spans must cover all time from 1970 to 2200, follow on each
/// other without a hole, and differ in offset from their neighbours.
pub trait Zone {
    /// The span that holds the instant, in seconds since the Unix epoch.
    fn span_at(&self, instant: i64) -> Span;
}

impl<Z: Zone + ?Sized> Zone for &Z {
    fn span_at(&self, instant: i64) -> Span {
        (**self).span_at(instant)
    }
}

impl Zone for chrono::Utc {
    fn span_at(&self, _: i64) -> Span {
        Span { from: i64::MIN, until: i64::MAX, offset: 0 }
    }
}

/// A name that no time zone has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneError {
    name: String,
    suggestion: Option<Suggestion>,
}

impl ZoneError {
    /// The unknown name, at most 64 bytes of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The one zone that was probably meant; none where several could be.
    pub fn suggestion(&self) -> Option<&'static str> {
        match self.suggestions() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// All zones that may have been meant: for an offset such as `UTC+7` some of those that have it, for `IST` one of each country
    /// that calls its time so.
    pub fn suggestions(&self) -> &[&'static str] {
        self.suggestion.as_ref().map_or(&[], Suggestion::zones)
    }

    /// What to write instead, where that is known.
    pub fn help(&self) -> Option<String> {
        match self.suggestions() {
            [] => None,
            [name] => Some(format!("did you mean `{name}`?")),
            [names @ .., last] => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("write the zone of a place, such as {} or `{last}`", names.join(", ")))
            }
        }
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown time zone `{}`", self.name)
    }
}

impl std::error::Error for ZoneError {}

/// Finds the zone of an IANA name, as `Asia/Jakarta`.
///
/// # Errors
///
/// An unknown name, with the nearest known one.
///
/// ```
/// use scheduler_cron::parse_zone;
///
/// let error = parse_zone("Asia/Jakata").unwrap_err();
/// assert_eq!(error.to_string(), "unknown time zone `Asia/Jakata`");
/// assert_eq!(error.suggestion(), Some("Asia/Jakarta"));
/// ```
pub fn parse_zone(name: &str) -> Result<NamedZone, ZoneError> {
    // A longer name is none, and hashing or comparing it would take its time.
    let known = if name.len() <= LONGEST_SHOWN { name.parse::<Tz>().ok() } else { None };
    known.map(NamedZone::from).ok_or_else(|| {
        let shown =
            name.char_indices().map_while(|(at, c)| (at + c.len_utf8() <= LONGEST_SHOWN).then_some(c)).collect();
        ZoneError { name: shown, suggestion: Suggestion::of(name) }
    })
}

/// The longest zone name has 32 bytes.
const LONGEST_SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_length_is_answered() {
        let error = parse_zone(&"ü".repeat(1 << 20)).expect_err("unknown");
        assert_eq!(error.name().len(), 64);
    }
}
