//! The zone seam: stretches of time through which a zone's offset from UTC stays the same.

use std::fmt;

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::nearest::nearest;

mod abbreviation;
mod data;
mod named;
mod posix_rule;
#[cfg(feature = "system-tz")]
mod system;
mod table;
mod tzif;

pub use data::{ZoneData, zone_data_version};
pub use named::{NamedZone, ZoneOffset};
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
    suggestion: Option<&'static str>,
}

impl ZoneError {
    /// The unknown name, at most 64 bytes of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The known name that was probably meant.
    pub fn suggestion(&self) -> Option<&'static str> {
        self.suggestion
    }

    /// What to write instead, where that is known.
    pub fn help(&self) -> Option<String> {
        self.suggestion.map(|name| format!("did you mean `{name}`?"))
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
        ZoneError { name: shown, suggestion: suggest(name) }
    })
}

/// The longest zone name has 32 bytes.
const LONGEST_SHOWN: usize = 64;

/// The zone whose name, or failing that whose city, is nearest.
fn suggest(name: &str) -> Option<&'static str> {
    if name.len() > LONGEST_SHOWN {
        return None;
    }
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let city = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let wanted = name.rsplit('/').next().unwrap_or(name);
    // A right city under a wrong region (`Indonesia/Jakarta`) says more than a similar spelling of the whole.
    let by_city = |wanted: &str| names().find(|name| city(name).eq_ignore_ascii_case(wanted));
    names()
        .find(|known| known.eq_ignore_ascii_case(name))
        .or_else(|| by_city(wanted))
        .or_else(|| nearest(name, names()))
        .or_else(|| nearest(wanted, names().map(city)).and_then(by_city))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_zone_is_recognised() {
        for (wrong, right) in [
            ("Asia/Jakata", "Asia/Jakarta"),
            ("Indonesia/Jakarta", "Asia/Jakarta"),
            ("asia/jakarta", "Asia/Jakarta"),
            ("Jakarta", "Asia/Jakarta"),
            ("Jkarta", "Asia/Jakarta"),
            ("America/New York", "America/New_York"),
            ("Europe/Berlim", "Europe/Berlin"),
            ("utc", "UTC"),
        ] {
            assert_eq!(parse_zone(wrong).expect_err(wrong).suggestion(), Some(right), "{wrong}");
        }
        assert_eq!(parse_zone("Mars/Olympus_Mons").expect_err("unknown").suggestion(), None);
        assert_eq!(parse_zone("Asia/Jakarta"), Ok(Tz::Asia__Jakarta.into()));
    }

    #[test]
    fn a_name_of_any_length_is_answered() {
        let error = parse_zone(&"ü".repeat(1 << 20)).expect_err("unknown");
        assert_eq!(error.name().len(), 64);
    }
}
