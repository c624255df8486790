//! A zone by its IANA name, on the zone data in use.

use std::fmt;
use std::str::FromStr;

use chrono::offset::MappedLocalTime;
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::abbreviation::Abbreviation;
use super::{Span, Table, Zone, ZoneError, parse_zone};
use crate::civil::DAY;

/// A time zone of the IANA database, known by its name.
///
/// Its clock follows the zone data in use ([`zone_data_version`](crate::zone_data_version)), which is newer than what a release of
/// chrono-tz carries. It is made of a name or of a [`chrono_tz::Tz`], and is a [`chrono::TimeZone`]: instants are shown on its clock.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use scheduler_cron::NamedZone;
///
/// let at: DateTime<Utc> = "2026-12-01T16:00:00Z".parse()?;
/// let vancouver: NamedZone = "America/Vancouver".parse()?;
/// assert_eq!(at.with_timezone(&vancouver).to_string(), "2026-12-01 09:00:00 MST");
/// assert_eq!(NamedZone::from(chrono_tz::America::Vancouver), vancouver);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NamedZone(Tz);

impl NamedZone {
    /// Coordinated Universal Time.
    pub const UTC: NamedZone = NamedZone(Tz::UTC);

    /// The zone's IANA name, as `Asia/Jakarta`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// All zones that have a name.
    pub fn all() -> impl Iterator<Item = NamedZone> {
        TZ_VARIANTS.iter().copied().map(NamedZone)
    }

    fn offset_at(self, instant: i64) -> ZoneOffset {
        let table = Table::of(self.0);
        ZoneOffset { zone: self, seconds: table.span_at(instant).offset, name: table.name_at(instant) }
    }
}

impl Zone for NamedZone {
    fn span_at(&self, instant: i64) -> Span {
        Table::of(self.0).span_at(instant)
    }
}

impl From<Tz> for NamedZone {
    fn from(zone: Tz) -> NamedZone {
        NamedZone(zone)
    }
}

/// The zone of the same name, on the data of chrono-tz, which may be older.
impl From<NamedZone> for Tz {
    fn from(zone: NamedZone) -> Tz {
        zone.0
    }
}

impl PartialEq<Tz> for NamedZone {
    fn eq(&self, other: &Tz) -> bool {
        self.0 == *other
    }
}

impl FromStr for NamedZone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<NamedZone, ZoneError> {
        parse_zone(name)
    }
}

impl fmt::Display for NamedZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for NamedZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a [`NamedZone`]'s clock is ahead of UTC at some instant, and what its time is called then.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ZoneOffset {
    zone: NamedZone,
    seconds: i32,
    name: Abbreviation,
}

impl ZoneOffset {
    /// What the zone's time is called, as `WIB`, or `+07` where it has no letters.
    pub fn abbreviation(&self) -> &str {
        self.name.as_str()
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        FixedOffset::east_opt(self.seconds).expect("no clock is a day ahead of UTC")
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.abbreviation())
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.abbreviation())
    }
}

impl TimeZone for NamedZone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> NamedZone {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let wall = local.and_utc().timestamp();
        // No clock is a day ahead of UTC or behind it.
        let mut span = self.span_at(wall - DAY);
        let mut found: Option<ZoneOffset> = None;
        loop {
            let instant = wall - i64::from(span.offset);
            if (span.from..span.until).contains(&instant) {
                let offset = self.offset_at(instant);
                match found {
                    None => found = Some(offset),
                    Some(earlier) => return MappedLocalTime::Ambiguous(earlier, offset),
                }
            }
            if span.until > wall + DAY {
                return found.map_or(MappedLocalTime::None, MappedLocalTime::Single);
            }
            span = self.span_at(span.until);
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        self.offset_at(utc.and_utc().timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    /// What a wall clock shows, in every zone whose rules chrono-tz knows as well, around each of its changes: chrono-tz finds the same.
    #[test]
    fn times_of_the_wall_clock_are_found_as_chrono_tz_finds_them() {
        let mut compared = 0;
        // In 2024 the data of both agrees, but for Moldova, whose clocks were found to have changed at another hour.
        let agreed = |zone: &NamedZone| !["Europe/Chisinau", "Europe/Tiraspol"].contains(&zone.name());
        for zone in NamedZone::all().filter(agreed) {
            let (from, until) = (1_704_067_200_i64, 1_735_689_600_i64);
            let mut span = zone.span_at(from);
            while span.until < until {
                for minutes in -300..300 {
                    let at = DateTime::from_timestamp(span.until + minutes * 60, 0).expect("an instant").naive_utc();
                    let local = at + chrono::TimeDelta::seconds(span.offset.into());
                    let ours = zone.offset_from_local_datetime(&local).map(|offset| offset.fix());
                    assert_eq!(
                        ours,
                        zone.0.offset_from_local_datetime(&local).map(|offset| offset.fix()),
                        "{zone} {local}"
                    );
                    let ours = zone.offset_from_utc_datetime(&at);
                    let theirs = zone.0.offset_from_utc_datetime(&at);
                    assert_eq!((ours.fix(), ours.to_string()), (theirs.fix(), theirs.to_string()), "{zone} {at}");
                    compared += 1;
                }
                span = zone.span_at(span.until);
            }
        }
        assert!(compared > 100_000, "{compared}");
    }

    #[test]
    fn an_instant_is_shown_on_the_clock_of_the_newest_rules() {
        let at: DateTime<Utc> = "2026-12-01T16:00:00Z".parse().expect("an instant");
        for (name, shown) in [
            ("America/Vancouver", "2026-12-01 09:00 MST -0700"),
            ("Africa/Casablanca", "2026-12-01 16:00 +00 +0000"),
            ("Asia/Kathmandu", "2026-12-01 21:45 +0545 +0545"),
        ] {
            let zone: NamedZone = name.parse().expect("a zone");
            assert_eq!(at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z %z").to_string(), shown);
        }
    }
}
