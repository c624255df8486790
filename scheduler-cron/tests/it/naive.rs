//! Another engine, as simple as can be: it looks at each minute of the wall clock, and applies the rules of clock changes as they are
//! written down. What it knows of zones it asks
//! chrono, for the second of a change.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use scheduler_cron::NamedZone;

/// A five-field expression as the sets its text names, spelled out without any parsing of ours.
#[derive(Debug, Clone)]
pub(crate) struct Sets {
    pub(crate) minutes: BTreeSet<u32>,
    pub(crate) hours: BTreeSet<u32>,
    pub(crate) days: Option<BTreeSet<u32>>,
    pub(crate) months: BTreeSet<u32>,
    pub(crate) weekdays: Option<BTreeSet<u32>>,
    pub(crate) interval: bool,
}

impl Sets {
    /// Reads numbers, `a-b`, `a-b/n`, `*`, `*/n` and lists of them; nothing that is wrong.
    pub(crate) fn of(text: &str) -> Sets {
        let fields: Vec<&str> = text.split(' ').collect();
        let set = |field: &str, min: u32, max: u32| -> BTreeSet<u32> {
            field.split(',').flat_map(|item| values(item, min, max)).collect()
        };
        let restricted = |at: usize, min, max| (fields[at] != "*").then(|| set(fields[at], min, max));
        Sets {
            minutes: set(fields[0], 0, 59),
            hours: set(fields[1], 0, 23),
            days: restricted(2, 1, 31),
            months: set(fields[3], 1, 12),
            weekdays: restricted(4, 0, 7).map(|days| days.into_iter().map(|day| day % 7).collect()),
            interval: fields[0].starts_with('*') || fields[1].starts_with('*'),
        }
    }

    fn names_date(&self, date: NaiveDate) -> bool {
        let day = self.days.as_ref().map(|days| days.contains(&date.day()));
        let weekday = self.weekdays.as_ref().map(|days| days.contains(&date.weekday().num_days_from_sunday()));
        let day_matches = match (day, weekday) {
            (Some(day), Some(weekday)) => day || weekday,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => true,
        };
        day_matches && self.months.contains(&date.month())
    }

    fn names(&self, wall: NaiveDateTime) -> bool {
        self.names_date(wall.date()) && self.hours.contains(&wall.hour()) && self.minutes.contains(&wall.minute())
    }

    /// All occurrences in `from..until`, found minute by minute.
    ///
    /// An interval job occurs at each instant whose clock shows a named time. A fixed-time job does so unless the clock showed the same time
    /// before; and it occurs where a gap of at most three hours ends that skipped a named time.
    pub(crate) fn occurrences(
        &self,
        zone: NamedZone,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> BTreeSet<DateTime<Utc>> {
        let mut found = BTreeSet::new();
        // Offsets are not whole minutes before 1972 (Monrovia): seconds are walked there.
        let mut at = from;
        let clock = Clock::of(zone, from - TimeDelta::hours(1), until + TimeDelta::hours(1));
        let offset = |at: DateTime<Utc>| clock.offset(at.timestamp()) as i32;
        let mut last_offset = offset(at - TimeDelta::seconds(1));
        while at < until {
            let now = offset(at);
            let gap = now - last_offset;
            if gap > 0 && gap <= 3 * 3600 && !self.interval {
                let skipped = (at + TimeDelta::seconds(last_offset.into())).naive_utc();
                let first_minute = (0..gap).map(|second| skipped + TimeDelta::seconds(second.into()));
                if first_minute.filter(|wall| wall.second() == 0).any(|wall| self.names(wall)) {
                    found.insert(at);
                }
            }
            let wall = (at + TimeDelta::seconds(now.into())).naive_utc();
            if wall.second() == 0 && self.names(wall) && (self.interval || !shown_before(zone, at, wall)) {
                found.insert(at);
            }
            last_offset = now;
            at += step_to_next(offset, at, wall, now);
        }
        found
    }
}

/// To the next whole minute of the wall clock, or to a clock change before it.
fn step_to_next(offset: impl Fn(DateTime<Utc>) -> i32, at: DateTime<Utc>, wall: NaiveDateTime, now: i32) -> TimeDelta {
    let whole = 60 - i64::from(wall.second());
    let changed = offset(at + TimeDelta::seconds(whole)) != now;
    let step = if changed { (1..=whole).find(|&step| offset(at + TimeDelta::seconds(step)) != now) } else { None };
    TimeDelta::seconds(step.unwrap_or(whole))
}

/// Whether an earlier instant showed the same time on the wall.
fn shown_before(zone: NamedZone, at: DateTime<Utc>, wall: NaiveDateTime) -> bool {
    match zone.offset_from_local_datetime(&wall) {
        chrono::LocalResult::Ambiguous(first, second) => {
            let earlier = first.fix().local_minus_utc().max(second.fix().local_minus_utc());
            offset(zone, at) != earlier
        }
        _ => false,
    }
}

/// A zone's offsets around some days: from when on which.
pub(crate) struct Clock(Vec<(i64, i64)>);

impl Clock {
    pub(crate) fn of(zone: NamedZone, from: DateTime<Utc>, until: DateTime<Utc>) -> Clock {
        let at = |seconds| i64::from(offset(zone, DateTime::from_timestamp(seconds, 0).expect("an instant")));
        let mut offsets = vec![(i64::MIN, at(from.timestamp()))];
        for quarter in (from.timestamp()..until.timestamp()).step_by(900) {
            if at(quarter + 900) != at(quarter) {
                let second = (quarter..=quarter + 900).find(|&second| at(second) != at(quarter)).expect("it changes");
                offsets.push((second, at(second)));
            }
        }
        Clock(offsets)
    }

    pub(crate) fn offset(&self, at: i64) -> i64 {
        self.0.iter().rev().find(|(from, _)| *from <= at).expect("the first reaches back for ever").1
    }

    /// Whether some instant of these shows that time.
    pub(crate) fn shows(&self, wall: i64, instants: std::ops::Range<i64>) -> bool {
        self.0.iter().any(|&(_, offset)| instants.contains(&(wall - offset)) && self.offset(wall - offset) == offset)
    }
}

pub(crate) fn offset(zone: impl TimeZone, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

fn values(item: &str, min: u32, max: u32) -> Vec<u32> {
    let (range, step) = item.split_once('/').map_or((item, 1), |(range, step)| (range, number(step)));
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (min, if max == 7 { 6 } else { max }),
        Some((first, last)) => (number(first), number(last)),
        None => (number(range), number(range)),
    };
    (first..=last).step_by(step as usize).collect()
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

/// All clock changes of a zone in a span of time, probed day by day.
pub(crate) fn changes(zone: impl TimeZone + Copy, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let mut changes = Vec::new();
    let mut at = from;
    while at < until {
        let next = at + Days::new(1);
        let (before, mut low, mut high) = (offset(zone, at), at, next);
        if offset(zone, next) != before {
            while high - low > TimeDelta::seconds(1) {
                let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
                if offset(zone, middle) == before { low = middle } else { high = middle }
            }
            changes.push(high);
        }
        at = next;
    }
    changes
}
