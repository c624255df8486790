//! The whole grammar, spelled out: expressions are made from what they mean, written in every way the grammar has, and each second of a few
//! days is asked whether it is named. Nothing here reads an expression, and no set of ours is used.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc, Weekday};
use proptest::prelude::*;
use scheduler_cron::{ClockChangePolicy, FoldPolicy, GapPolicy, NamedZone};

use crate::naive::Clock;

/// What one item of a list means.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// `*`, `*/1` or `?`.
    Any(&'static str),
    Value(u32),
    /// The step, if any; the range wraps where it counts backwards.
    Range(u32, u32, Option<u32>),
    StarStep(u32),
    FromLast(u32),
    NearestWeekday(u32),
    LastWeekday,
    Nth(u32, u32),
    Last(u32),
}

/// The seven fields, second to year; the first and the last may be left out.
#[derive(Debug, Clone)]
pub(crate) struct Spelled {
    seconds: Option<Vec<Item>>,
    minutes: Vec<Item>,
    hours: Vec<Item>,
    days: Vec<Item>,
    months: Vec<Item>,
    weekdays: Vec<Item>,
    years: Option<Vec<Item>>,
    /// Decides between spellings of one meaning.
    whim: u64,
}

impl Spelled {
    /// Whether an expression that means this is refused: a step after `*` in one day field, and a restriction in the other.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let stepped = |items: &[Item]| items.iter().any(|item| matches!(item, Item::StarStep(_)));
        restricts(&self.days) && restricts(&self.weekdays) && (stepped(&self.days) || stepped(&self.weekdays))
    }

    fn is_interval(&self) -> bool {
        let starts_with_star = |items: &[Item]| matches!(items[0], Item::StarStep(_)) || !restricts(items);
        starts_with_star(&self.minutes) || starts_with_star(&self.hours)
    }

    pub(crate) fn names_date(&self, date: NaiveDate) -> bool {
        let years = self.years.as_ref().is_none_or(|years| holds(years, date.year() as u32, 1970, 2199));
        let in_range = (1970..=2199).contains(&date.year());
        if !in_range || !years || !holds(&self.months, date.month(), 1, 12) {
            return false;
        }
        let day = self.days.iter().any(|item| is_day(item, date));
        let weekday = self.weekdays.iter().any(|item| is_weekday(item, date));
        match (restricts(&self.days), restricts(&self.weekdays)) {
            (true, true) => day || weekday,
            (true, false) => day,
            (false, true) => weekday,
            (false, false) => true,
        }
    }

    /// The times of a day that are named: hours, minutes and seconds.
    fn times(&self) -> Times {
        let of = |items: &[Item], max| (0..=max).map(|value| holds(items, value, 0, max)).collect();
        let seconds = self.seconds.as_deref().unwrap_or(&[Item::Value(0)]);
        Times { hours: of(&self.hours, 23), minutes: of(&self.minutes, 59), seconds: of(seconds, 59) }
    }

    /// The expression, in one of its spellings.
    pub(crate) fn text(&self) -> String {
        let mut whim = Whim(self.whim);
        let field = |items: &[Item], names: &[&str], first: u32, whim: &mut Whim| {
            let items: Vec<String> = items.iter().map(|item| written(item, names, first, whim)).collect();
            items.join(",")
        };
        let mut fields = Vec::new();
        // Seven fields have seconds; six or five may do without.
        let seconds = self.seconds.as_ref().map(|items| field(items, &[], 0, &mut whim));
        fields.extend(seconds.or_else(|| self.years.is_some().then(|| "0".to_owned())));
        fields.push(field(&self.minutes, &[], 0, &mut whim));
        fields.push(field(&self.hours, &[], 0, &mut whim));
        fields.push(field(&self.days, &[], 1, &mut whim));
        fields.push(field(&self.months, &MONTHS, 1, &mut whim));
        fields.push(field(&self.weekdays, &WEEKDAYS, 0, &mut whim));
        fields.extend(self.years.as_ref().map(|items| field(items, &[], 1970, &mut whim)));
        let mut text = String::new();
        for field in fields {
            let space = *whim.choose(&[" ", " ", " ", "  ", "\t", " \n", "\r\n", "\u{c}"]);
            write!(text, "{space}{field}").expect("a string takes all");
        }
        text
    }

    /// The occurrences in `from..until`, second by second.
    ///
    /// A second is one if its clock shows a named time, and has not before (or will not again), where the policy for folds says so; and the
    /// first second after a gap of at most three hours is one, if a named time was skipped and the policy for gaps says so.
    pub(crate) fn occurrences(
        &self,
        zone: NamedZone,
        policy: ClockChangePolicy,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Vec<DateTime<Utc>> {
        let interval = self.is_interval();
        let gap = policy.gap.unwrap_or(if interval { GapPolicy::Skip } else { GapPolicy::Shift });
        let fold = policy.fold.unwrap_or(if interval { FoldPolicy::Both } else { FoldPolicy::First });
        // Far enough on both sides to see a time that the clock shows twice.
        let around = TimeDelta::hours(26);
        let clock = Clock::of(zone, from - around, until + around);
        let times = self.times();
        let mut dates: BTreeMap<i64, bool> = BTreeMap::new();
        let mut named = |wall: i64| {
            let (day, second) = (wall.div_euclid(86_400), wall.rem_euclid(86_400) as usize);
            times.name(second)
                && *dates.entry(day).or_insert_with(|| {
                    self.names_date(NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date") + TimeDelta::days(day))
                })
        };
        let mut found = Vec::new();
        for at in from.timestamp()..until.timestamp() {
            let (before, now) = (clock.offset(at - 1), clock.offset(at));
            let wall = at + now;
            let natural = named(wall)
                && match fold {
                    FoldPolicy::Both => true,
                    FoldPolicy::First => !clock.shows(wall, at - 6 * 3600..at),
                    FoldPolicy::Last => !clock.shows(wall, at + 1..at + 6 * 3600),
                };
            let skipped = at + before..wall;
            let shifted = now > before && now - before <= 3 * 3600 && gap == GapPolicy::Shift;
            if natural || shifted && skipped.into_iter().any(&mut named) {
                found.push(DateTime::from_timestamp(at, 0).expect("an instant"));
            }
        }
        found
    }
}

/// Whether each hour, minute and second is named.
struct Times {
    hours: Vec<bool>,
    minutes: Vec<bool>,
    seconds: Vec<bool>,
}

impl Times {
    fn name(&self, second: usize) -> bool {
        self.seconds[second % 60] && self.minutes[second / 60 % 60] && self.hours[second / 3600]
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

fn restricts(items: &[Item]) -> bool {
    !items.iter().any(|item| matches!(item, Item::Any(_)))
}

fn holds(items: &[Item], value: u32, min: u32, max: u32) -> bool {
    items.iter().any(|item| match *item {
        Item::Any(_) => true,
        Item::Value(only) => only == value,
        Item::Range(first, last, step) => {
            walk(first, last, min, max).step_by(step.unwrap_or(1) as usize).any(|v| v == value)
        }
        Item::StarStep(step) => (min..=max).step_by(step as usize).any(|v| v == value),
        _ => unreachable!("only day fields have more"),
    })
}

/// From the first value on, and from the field's start again, to the last.
fn walk(first: u32, last: u32, min: u32, max: u32) -> Box<dyn Iterator<Item = u32>> {
    if first <= last { Box::new(first..=last) } else { Box::new((first..=max).chain(min..=last)) }
}

fn month_of(date: NaiveDate) -> Vec<NaiveDate> {
    let first = date.with_day(1).expect("every month has one");
    first.iter_days().take_while(|day| day.month() == first.month()).collect()
}

fn is_workday(date: &NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn is_day(item: &Item, date: NaiveDate) -> bool {
    let month = month_of(date);
    match *item {
        Item::FromLast(back) => month.iter().rev().nth(back as usize) == Some(&date),
        Item::LastWeekday => month.iter().rev().find(|day| is_workday(day)) == Some(&date),
        Item::NearestWeekday(wanted) => {
            let distance = |day: &&NaiveDate| day.day().abs_diff(wanted);
            wanted as usize <= month.len()
                && month.iter().filter(|day| is_workday(day)).min_by_key(distance) == Some(&date)
        }
        ref plain => holds(std::slice::from_ref(plain), date.day(), 1, 31),
    }
}

fn is_weekday(item: &Item, date: NaiveDate) -> bool {
    let weekday = date.weekday().num_days_from_sunday();
    let alike: Vec<NaiveDate> = month_of(date).into_iter().filter(|day| day.weekday() == date.weekday()).collect();
    match *item {
        Item::Nth(wanted, turn) => wanted % 7 == weekday && alike.get(turn as usize - 1) == Some(&date),
        Item::Last(wanted) => wanted % 7 == weekday && alike.last() == Some(&date),
        Item::Value(wanted) => wanted % 7 == weekday,
        // As a start 7 is the Sunday that begins the week, as an end the one that ends it.
        Item::Range(first, last, step) if first > last => {
            walk(first % 7, last, 0, 6).step_by(step.unwrap_or(1) as usize).any(|day| day == weekday)
        }
        Item::Range(first, last, step) => {
            (first..=last).step_by(step.unwrap_or(1) as usize).any(|day| day % 7 == weekday)
        }
        ref plain => holds(std::slice::from_ref(plain), weekday, 0, 6),
    }
}

/// Picks spellings, the same ones for the same seed.
struct Whim(u64);

impl Whim {
    fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        &from[(self.0 >> 33) as usize % from.len()]
    }

    fn case(&mut self, word: &str) -> String {
        word.chars()
            .map(|letter| if *self.choose(&[true, false]) { letter.to_ascii_uppercase() } else { letter })
            .collect()
    }

    fn value(&mut self, value: u32, names: &[&str], first: u32) -> String {
        let name = names.get(value.wrapping_sub(first) as usize);
        match (name, *self.choose(&[0, 1, 2])) {
            (Some(name), 0) => self.case(name),
            (_, 1) if value < 10 => format!("0{value}"),
            _ => value.to_string(),
        }
    }
}

fn written(item: &Item, names: &[&str], min: u32, whim: &mut Whim) -> String {
    match *item {
        Item::Any(text) => text.to_owned(),
        Item::Value(value) => whim.value(value, names, min),
        Item::Range(first, last, step) => {
            let range = format!("{}-{}", whim.value(first, names, min), whim.value(last, names, min));
            step.map_or(range.clone(), |step| format!("{range}/{step}"))
        }
        Item::StarStep(step) => format!("*/{step}"),
        Item::FromLast(0) => whim.case("l"),
        Item::FromLast(back) => format!("{}-{back}", whim.case("l")),
        Item::NearestWeekday(day) => format!("{}{}", whim.value(day, &[], min), whim.case("w")),
        Item::LastWeekday => whim.case("lw"),
        Item::Nth(weekday, turn) => format!("{}#{turn}", whim.value(weekday, names, min)),
        Item::Last(weekday) => format!("{}{}", whim.value(weekday, names, min), whim.case("l")),
    }
}

fn plain(min: u32, max: u32, values: u32, wraps: bool) -> impl Strategy<Value = Item> {
    let value = min..=max;
    let ordered = move |a: u32, b: u32| if wraps || a <= b { (a, b) } else { (b, a) };
    prop_oneof![
        4 => value.clone().prop_map(Item::Value),
        3 => (value.clone(), value.clone()).prop_map(move |(a, b)| Item::Range(ordered(a, b).0, ordered(a, b).1, None)),
        3 => (value.clone(), value, 1..=values)
            .prop_map(move |(a, b, step)| Item::Range(ordered(a, b).0, ordered(a, b).1, Some(step))),
        2 => (2..=values).prop_map(Item::StarStep),
    ]
}

fn list(item: impl Strategy<Value = Item> + Clone) -> impl Strategy<Value = Vec<Item>> {
    let any = prop::sample::select(vec!["*", "*/1"]).prop_map(Item::Any);
    prop_oneof![
        4 => any.clone().prop_map(|any| vec![any]),
        8 => prop::collection::vec(item.clone(), 1..=4),
        1 => (prop::collection::vec(item, 1..=2), any, 0..=1_usize).prop_map(|(mut items, any, at)| {
            items.insert(at.min(items.len()), any);
            items
        }),
    ]
}

pub(crate) fn spelled() -> impl Strategy<Value = Spelled> {
    let day = prop_oneof![
        6 => plain(1, 31, 31, true),
        1 => (0..=30_u32).prop_map(Item::FromLast),
        1 => (1..=31_u32).prop_map(Item::NearestWeekday),
        1 => Just(Item::LastWeekday),
    ];
    let weekday = prop_oneof![
        6 => plain(0, 7, 7, true),
        1 => (0..=7_u32, 1..=5_u32).prop_map(|(weekday, turn)| Item::Nth(weekday, turn)),
        1 => (0..=7_u32).prop_map(Item::Last),
    ];
    let or_any = |items: BoxedStrategy<Vec<Item>>| prop_oneof![1 => Just(vec![Item::Any("?")]), 3 => Just(vec![Item::Any("*")]), 4 => items];
    let minutes = || list(plain(0, 59, 60, true).boxed());
    (
        prop_oneof![3 => Just(None), 1 => minutes().prop_map(Some)],
        minutes(),
        list(plain(0, 23, 24, true).boxed()),
        or_any(list(day.boxed()).boxed()),
        prop_oneof![2 => Just(vec![Item::Any("*")]), 1 => list(plain(1, 12, 12, true).boxed())],
        or_any(list(weekday.boxed()).boxed()),
        prop_oneof![6 => Just(None), 1 => list(plain(1970, 2199, 230, false).boxed()).prop_map(Some)],
        any::<u64>(),
    )
        .prop_map(|(seconds, minutes, hours, days, months, weekdays, years, whim)| Spelled {
            seconds,
            minutes,
            hours,
            days,
            months,
            weekdays,
            years,
            whim,
        })
}

/// The first day on or after a date that an expression names, day by day.
pub(crate) fn first_named(spelled: &Spelled, from: NaiveDate, last: NaiveDate) -> Option<NaiveDate> {
    std::iter::successors(Some(from), |day| day.checked_add_days(Days::new(1)))
        .take_while(|day| *day <= last)
        .find(|day| spelled.names_date(*day))
}

/// The first time of a day that an expression names.
pub(crate) fn first_time(spelled: &Spelled) -> i64 {
    let times = spelled.times();
    (0..86_400).find(|&second| times.name(second)).expect("each field names a value") as i64
}
