//! An expression in words.

use std::fmt::Write;

use crate::expr::{CronExpr, Flags, Years};
use crate::field::Field;

mod english;
mod indonesian;

/// A language in which an expression can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// "At 00:30 every day".
    English,
    /// "Setiap hari pukul 00.30".
    Indonesian,
}

impl CronExpr {
    /// The expression in words, without a zone.
    ///
    /// ```
    /// use scheduler_cron::{CronExpr, Language};
    ///
    /// let expr = CronExpr::parse("30 0 * * *")?;
    /// assert_eq!(expr.describe(Language::English), "At 00:30 every day");
    /// assert_eq!(expr.describe(Language::Indonesian), "Setiap hari pukul 00.30");
    /// assert_eq!(expr.describe_in(Language::English, "Asia/Jakarta"), "At 00:30 every day, Asia/Jakarta time");
    /// # Ok::<(), scheduler_cron::CronError>(())
    /// ```
    pub fn describe(&self, language: Language) -> String {
        let outline = Outline::of(self);
        match language {
            Language::English => english::describe(&outline),
            Language::Indonesian => indonesian::describe(&outline),
        }
    }

    /// The expression in words, with the name of the zone whose clock it follows.
    pub fn describe_in(&self, language: Language, zone: &str) -> String {
        let mut words = self.describe(language);
        words.push_str(&in_zone(language, zone));
        words
    }
}

/// The end of a description that names the zone.
pub(crate) fn in_zone(language: Language, zone: &str) -> String {
    match language {
        Language::English => format!(", {zone} time"),
        Language::Indonesian => format!(", waktu {zone}"),
    }
}

/// More times of day than these are told as a rule, not as a list.
const LONGEST_LIST: u32 = 6;

/// What an expression says, as a person would put it, before any language.
struct Outline {
    pace: Pace,
    days: Days,
    months: Set,
    years: Vec<(u16, u16)>,
    never: bool,
}

/// When on its days.
enum Pace {
    /// At these times of day: hour, minute, second; `seconds` where one of them is not zero.
    Times { times: Vec<(u16, u16, u16)>, seconds: bool },
    /// Each `n` seconds, minutes or hours, in these hours.
    Each { count: u16, unit: Field, hours: Set },
    /// At these seconds and minutes of these hours.
    Within { seconds: Set, minutes: Set, hours: Set },
}

/// On which days.
enum Days {
    Every,
    OfMonth(Vec<MonthDays>),
    OfWeek(Vec<WeekDays>),
    Either(Vec<MonthDays>, Vec<WeekDays>),
    Both(Vec<MonthDays>, Vec<WeekDays>),
}

enum MonthDays {
    Numbers(Set),
    /// Each `n`th day, from the first.
    Each(u16),
    /// So many days before the last; 0 is the last.
    FromLast(u16),
    /// The weekday nearest to a day.
    NearestWeekday(u16),
    LastWeekday,
}

enum WeekDays {
    Names(Set),
    /// Weekday, and its turn in the month.
    Nth(u16, u16),
    Last(u16),
}

/// The values of a field as ranges, or all of them.
struct Set {
    ranges: Vec<(u16, u16)>,
    all: bool,
    /// The distance of all values from the first one on, where it is more than one.
    step: Option<u16>,
}

impl Set {
    fn of(field: Field, bits: u64) -> Set {
        let (min, count) = (field.range().0, field.count());
        let values: Vec<u16> = (min..min + count).filter(|value| bits >> value & 1 != 0).collect();
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for &value in &values {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == value => *last = value,
                _ => ranges.push((value, value)),
            }
        }
        // Two neighbours are told one by one.
        ranges = ranges.into_iter().flat_map(|(first, last)| split_pair(first, last)).collect();
        let step = values
            .get(1)
            .map(|second| second - values[0])
            .filter(|&step| step > 1 && values.windows(2).all(|pair| pair[1] - pair[0] == step));
        Set { ranges, all: values.len() == usize::from(count), step }
    }

    /// The distance, if the values are all that a step after `*` names, and the last is as far from the next round's first.
    fn even_step(&self, field: Field) -> Option<u16> {
        let (min, count) = (field.range().0, field.count());
        let first = self.ranges.first().is_some_and(|&(first, _)| first == min);
        let step = self.step.filter(|step| first && count.is_multiple_of(*step))?;
        (self.ranges.len() == usize::from(count / step)).then_some(step)
    }

    /// The only value.
    fn single(&self) -> Option<u16> {
        match self.ranges[..] {
            [(first, last)] if first == last => Some(first),
            _ => None,
        }
    }
}

fn split_pair(first: u16, last: u16) -> Vec<(u16, u16)> {
    if first + 1 == last { vec![(first, first), (last, last)] } else { vec![(first, last)] }
}

impl Outline {
    fn of(expr: &CronExpr) -> Outline {
        let (min, max) = Field::Year.range();
        let mut years: Vec<(u16, u16)> = Vec::new();
        if expr.years != Years::ALL {
            for year in (min..=max).filter(|&year| expr.years.contains(year)) {
                match years.last_mut() {
                    Some((_, last)) if *last + 1 == year => *last = year,
                    _ => years.push((year, year)),
                }
            }
        }
        Outline {
            pace: Pace::of(expr),
            days: Days::of(expr),
            months: Set::of(Field::Month, expr.months.into()),
            years,
            never: expr.never_fires(),
        }
    }
}

impl Pace {
    fn of(expr: &CronExpr) -> Pace {
        let seconds = Set::of(Field::Second, expr.seconds);
        let minutes = Set::of(Field::Minute, expr.minutes);
        let hours = Set::of(Field::Hour, expr.hours.into());
        let at_zero = seconds.single() == Some(0);
        if minutes.all && seconds.all {
            return Pace::Each { count: 1, unit: Field::Second, hours };
        }
        if let Some(count) = seconds.even_step(Field::Second).filter(|_| minutes.all) {
            return Pace::Each { count, unit: Field::Second, hours };
        }
        if minutes.all && at_zero {
            return Pace::Each { count: 1, unit: Field::Minute, hours };
        }
        if let Some(count) = minutes.even_step(Field::Minute).filter(|_| at_zero) {
            return Pace::Each { count, unit: Field::Minute, hours };
        }
        let on_the_hour = at_zero && minutes.single() == Some(0);
        if on_the_hour && hours.all {
            return Pace::Each { count: 1, unit: Field::Hour, hours };
        }
        let times = expr.hours.count_ones() * expr.minutes.count_ones() * expr.seconds.count_ones();
        if times <= LONGEST_LIST {
            return Pace::Times { times: times_of_day(expr), seconds: !at_zero };
        }
        if let Some(count) = hours.even_step(Field::Hour).filter(|_| on_the_hour) {
            let hours = Set::of(Field::Hour, (1 << 24) - 1);
            return Pace::Each { count, unit: Field::Hour, hours };
        }
        Pace::Within { seconds, minutes, hours }
    }
}

fn times_of_day(expr: &CronExpr) -> Vec<(u16, u16, u16)> {
    let mut times = Vec::new();
    for hour in (0..24).filter(|hour| expr.hours >> hour & 1 != 0) {
        for minute in (0..60).filter(|minute| expr.minutes >> minute & 1 != 0) {
            for second in (0..60).filter(|second| expr.seconds >> second & 1 != 0) {
                times.push((hour, minute, second));
            }
        }
    }
    times
}

impl Days {
    fn of(expr: &CronExpr) -> Days {
        let (any_day, any_weekday) = (expr.flags.has(Flags::ANY_DAY), expr.flags.has(Flags::ANY_WEEKDAY));
        match (any_day, any_weekday) {
            (true, true) => Days::Every,
            (false, true) => Days::OfMonth(month_days(expr)),
            (true, false) => Days::OfWeek(week_days(expr)),
            (false, false) if expr.flags.has(Flags::BOTH_DAYS) => Days::Both(month_days(expr), week_days(expr)),
            (false, false) => Days::Either(month_days(expr), week_days(expr)),
        }
    }
}

fn month_days(expr: &CronExpr) -> Vec<MonthDays> {
    let mut days = Vec::new();
    let numbers = Set::of(Field::DayOfMonth, expr.days.into());
    let step = numbers.step.filter(|&step| {
        let all = (1..=31).step_by(step.into()).fold(0_u32, |all, day| all | 1 << day);
        step <= 10 && expr.days == all
    });
    match step {
        Some(step) => days.push(MonthDays::Each(step)),
        None if !numbers.ranges.is_empty() => days.push(MonthDays::Numbers(numbers)),
        None => {}
    }
    let bits = |set: u32| (0..32_u16).filter(move |bit| set >> bit & 1 != 0);
    days.extend(bits(expr.special.nearest_weekday & !1).map(MonthDays::NearestWeekday));
    days.extend(bits(expr.special.nearest_weekday & 1).map(|_| MonthDays::LastWeekday));
    days.extend(bits(expr.special.from_last).map(MonthDays::FromLast));
    days
}

fn week_days(expr: &CronExpr) -> Vec<WeekDays> {
    let mut days = Vec::new();
    if expr.weekdays != 0 {
        days.push(WeekDays::Names(Set::of(Field::DayOfWeek, expr.weekdays.into())));
    }
    for (week, weekdays) in (1..).zip(expr.special.nth_weekday) {
        days.extend((0..7).filter(|day| weekdays >> day & 1 != 0).map(|day| WeekDays::Nth(day, week)));
    }
    days.extend((0..7).filter(|day| expr.special.last_weekday >> day & 1 != 0).map(WeekDays::Last));
    days
}

/// `a`, `a and b`, `a, b and c`.
fn joined(parts: &[String], and: &str) -> String {
    let mut words = String::new();
    for (index, part) in parts.iter().enumerate() {
        let before = match index {
            0 => "",
            last if last + 1 == parts.len() => and,
            _ => ", ",
        };
        write!(words, "{before}{part}").expect("a string takes all");
    }
    words
}

/// Ranges, each value told by `name`.
fn ranges(ranges: &[(u16, u16)], to: &str, name: impl Fn(u16) -> String) -> Vec<String> {
    let told = |&(first, last): &(u16, u16)| {
        if first == last { name(first) } else { format!("{}{to}{}", name(first), name(last)) }
    };
    ranges.iter().map(told).collect()
}

#[cfg(test)]
mod tests;
