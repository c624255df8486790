//! A zone's clock changes, found once and kept: asking chrono-tz for an offset tells nothing about how long it lasts.

use std::sync::OnceLock;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::Span;

/// From when to when changes are looked for: a year more than expressions reach, on both sides.
const FIRST: i64 = -365 * 86_400;
const LAST: i64 = 7_289_654_400;

/// How far apart offsets are probed. No zone changes back within it, which a test shows with a finer probe.
const PROBE: i64 = 5 * 86_400;

/// The spans of one zone, in order. The first began before everything, the last never ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table(Box<[(i64, i32)]>);

impl Table {
    /// The table of a zone of chrono-tz, made at its first use.
    pub(crate) fn of(zone: Tz) -> &'static Table {
        static TABLES: [OnceLock<Table>; TZ_VARIANTS_COUNT] = [const { OnceLock::new() }; TZ_VARIANTS_COUNT];
        TABLES[zone as usize].get_or_init(|| Table::probe(|instant| offset_of(zone, instant), PROBE))
    }

    /// Finds all changes of an offset that lasts longer than `step` each time.
    pub(crate) fn probe(offset: impl Fn(i64) -> i32, step: i64) -> Table {
        let mut spans = vec![(i64::MIN, offset(FIRST))];
        let mut at = FIRST;
        while at < LAST {
            let next = (at + step).min(LAST);
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
