//! A zone's clock changes, found once and kept: asking chrono-tz for an offset tells nothing about how long it lasts.

use std::ops::Range;
use std::sync::OnceLock;

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{Span, Zone};

/// From when to when changes are looked for: from a year before the first that expressions reach, to the one after the last in which the
/// data of chrono-tz has a change.
const FIRST: i64 = -365 * 86_400;
const LAST: i64 = 4_133_980_800;

/// How far apart offsets are probed. The shortest time between two changes of one zone is seven days less an hour (Recife, in the year
/// 2000); tests look with a finer probe, and beyond the last.
const PROBE: i64 = 6 * 86_400;

/// The spans of one zone, in order. The first began before everything, the last never ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table(Box<[(i64, i32)]>);

static TABLES: [OnceLock<Table>; TZ_VARIANTS_COUNT] = [const { OnceLock::new() }; TZ_VARIANTS_COUNT];

#[cfg(feature = "system-tz")]
static INSTALLED: OnceLock<super::SystemZones> = OnceLock::new();

/// Takes tables from these zones from now on; gives them back if tables are in use.
#[cfg(feature = "system-tz")]
pub(super) fn install(zones: super::SystemZones) -> Result<(), super::SystemZones> {
    if TABLES.iter().any(|table| table.get().is_some()) { Err(zones) } else { INSTALLED.set(zones) }
}

#[cfg(feature = "system-tz")]
fn installed(zone: Tz) -> Option<Table> {
    INSTALLED.get()?.zone(zone.name()).ok().map(super::SystemZone::into_table)
}

/// The release of the data that tables are made of.
pub(super) fn version() -> &'static str {
    #[cfg(feature = "system-tz")]
    if let Some(zones) = INSTALLED.get() {
        return zones.version().unwrap_or("unknown");
    }
    chrono_tz::IANA_TZDB_VERSION
}

impl Table {
    /// The table of a zone of chrono-tz, made at its first use.
    pub(crate) fn of(zone: Tz) -> &'static Table {
        TABLES[zone as usize].get_or_init(|| {
            #[cfg(feature = "system-tz")]
            if let Some(table) = installed(zone) {
                return table;
            }
            Table::probe(|instant| offset_of(zone, instant), FIRST..LAST, PROBE)
        })
    }

    /// A table of these beginnings and offsets, in order, the first at `i64::MIN`; none if they are not in order.
    #[cfg(feature = "system-tz")]
    pub(crate) fn of_spans(spans: Vec<(i64, i32)>) -> Option<Table> {
        let mut kept: Vec<(i64, i32)> = Vec::with_capacity(spans.len());
        for (from, offset) in spans {
            match kept.last_mut() {
                Some((last, _)) if from < *last => return None,
                Some((last, last_offset)) if from == *last => *last_offset = offset,
                _ => kept.push((from, offset)),
            }
        }
        kept.dedup_by_key(|&mut (_, offset)| offset);
        (kept.first()?.0 == i64::MIN).then(|| Table(kept.into_boxed_slice()))
    }

    /// Finds all changes, within these instants, of an offset that lasts longer than `step` each time.
    fn probe(offset: impl Fn(i64) -> i32, within: Range<i64>, step: i64) -> Table {
        let mut spans = vec![(i64::MIN, offset(within.start))];
        let mut at = within.start;
        while at < within.end {
            let next = (at + step).min(within.end);
            let (before, after) = (spans[spans.len() - 1].1, offset(next));
            if before == after {
                at = next;
                continue;
            }
            let (mut low, mut high) = (at, next);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(middle) == before { low = middle } else { high = middle }
            }
            spans.push((high, offset(high)));
            at = high;
        }
        Table(spans.into_boxed_slice())
    }

    pub(crate) fn span_at(&self, instant: i64) -> Span {
        let spans = &*self.0;
        let after = spans.partition_point(|&(from, _)| from <= instant);
        let (from, offset) = spans[after - 1];
        let until = spans.get(after).map_or(i64::MAX, |&(from, _)| from);
        Span { from, until, offset }
    }
}

/// A zone in some years alone. A zone's changes are searched through two centuries when it is first asked; who asks for a few years of it,
/// and then no more, is answered sooner by these.
///
/// ```
/// use scheduler_cron::{CronExpr, ZoneWindow, parse_zone};
///
/// let (from, to) = ("2026-01-01T00:00:00Z".parse()?, "2027-01-01T00:00:00Z".parse()?);
/// let new_york = ZoneWindow::new(parse_zone("America/New_York")?, from, to);
/// assert_eq!(CronExpr::parse("30 2 * * *")?.hazards(&new_york, from, to).len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneWindow(Table);

impl ZoneWindow {
    /// The zone from one instant to another; before and after it the clock is as it is at that end.
    pub fn new(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> ZoneWindow {
        let known = TABLES[zone as usize].get().cloned();
        #[cfg(feature = "system-tz")]
        let known = known.or_else(|| installed(zone));
        let within = || (from.timestamp() - PROBE).max(FIRST)..to.timestamp().min(LAST);
        ZoneWindow(known.unwrap_or_else(|| Table::probe(|instant| offset_of(zone, instant), within(), PROBE)))
    }
}

impl Zone for ZoneWindow {
    fn span_at(&self, instant: i64) -> Span {
        self.0.span_at(instant)
    }
}

/// Every variant has a place; the array of all of them is a static, whose length a constant may not read.
const TZ_VARIANTS_COUNT: usize = {
    const fn count<const N: usize>(_: &'static [Tz; N]) -> usize {
        N
    }
    count(&TZ_VARIANTS)
};

fn offset_of(zone: Tz, instant: i64) -> i32 {
    let instant = DateTime::from_timestamp(instant, 0).expect("the years searched are dates of chrono");
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_changes_of_its_years() {
        let [from, to] = [1_735_689_600, 2_051_222_400].map(|at| DateTime::from_timestamp(at, 0).expect("an instant"));
        for &zone in TZ_VARIANTS.iter().step_by(5) {
            // Not yet asked for by another test, or the window would be the zone's own table.
            let within = from.timestamp() - PROBE..to.timestamp();
            let window = Table::probe(|instant| offset_of(zone, instant), within, PROBE);
            let table = Table::of(zone);
            let inside = |&&(at, _): &&(i64, i32)| (from.timestamp()..to.timestamp()).contains(&at);
            assert!(window.0.iter().filter(inside).eq(table.0.iter().filter(inside)), "{zone}");
            assert_eq!(window.span_at(from.timestamp()).offset, table.span_at(from.timestamp()).offset, "{zone}");
        }
    }
}
