//! In English.

use super::{Days, MonthDays, Outline, Pace, Set, WeekDays, joined, ranges};
use crate::field::Field;

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn describe(outline: &Outline) -> String {
    let mut words = pace(&outline.pace);
    // "Every 15 minutes" needs no "every day" behind it.
    let days = days(&outline.days, matches!(outline.pace, Pace::Times { .. }));
    if !days.is_empty() {
        let comma = if days.starts_with("every") { " " } else { ", " };
        words += &format!("{comma}{days}");
    }
    if !outline.months.all {
        words += &format!(", in {}", joined(&ranges(&outline.months.ranges, " to ", month), " and "));
    }
    if !outline.years.is_empty() {
        words += &format!(", in {}", joined(&ranges(&outline.years, " to ", |year| year.to_string()), " and "));
    }
    if outline.never {
        words += " (never: no such day exists)";
    }
    words
}

fn pace(pace: &Pace) -> String {
    match pace {
        Pace::Times { times, seconds } => {
            let told: Vec<String> = times
                .iter()
                .map(|(hour, minute, second)| match seconds {
                    true => format!("{hour:02}:{minute:02}:{second:02}"),
                    false => format!("{hour:02}:{minute:02}"),
                })
                .collect();
            format!("At {}", joined(&told, " and "))
        }
        Pace::Each { count, unit, hours } => {
            let each = if *count == 1 { format!("Every {unit}") } else { format!("Every {count} {unit}s") };
            each + &within(hours, *unit)
        }
        Pace::Within { seconds, minutes, hours } => {
            let mut words = String::from("At ");
            if seconds.single() != Some(0) {
                words += &format!("{} of ", numbered(Field::Second, seconds));
            }
            words += &if minutes.all { "every minute".to_owned() } else { numbered(Field::Minute, minutes) };
            let hours =
                if hours.all { " of every hour".to_owned() } else { format!(" of {}", numbered(Field::Hour, hours)) };
            words + &hours
        }
    }
}

/// The hours in which something goes on: of one run of hours, its first and last minute.
fn within(hours: &Set, unit: Field) -> String {
    match hours.ranges[..] {
        _ if hours.all => String::new(),
        [(first, last)] => {
            let end = if unit == Field::Second { ":59:59" } else { ":59" };
            format!(" from {first:02}:00 to {last:02}{end}")
        }
        _ => format!(" in {}", numbered(Field::Hour, hours)),
    }
}

/// "minute 5", "minutes 5, 10 and 20 to 30".
fn numbered(field: Field, set: &Set) -> String {
    if set.all {
        return format!("every {field}");
    }
    let plural = if set.single().is_some() { "" } else { "s" };
    format!("{field}{plural} {}", joined(&ranges(&set.ranges, " to ", |value| value.to_string()), " and "))
}

fn days(days: &Days, say_every: bool) -> String {
    match days {
        Days::Every if say_every => "every day".to_owned(),
        Days::Every => String::new(),
        Days::OfMonth(month) => month_days(month),
        Days::OfWeek(week) => week_days(week),
        Days::Either(month, week) => format!("{}, and also {}", month_days(month), week_days(week)),
        Days::Both(month, week) => {
            format!("{} if it is also {}", month_days(month), week_days(week).trim_start_matches("on "))
        }
    }
}

fn month_days(days: &[MonthDays]) -> String {
    let told: Vec<String> = days
        .iter()
        .map(|days| match days {
            MonthDays::Numbers(set) if set.single().is_some() => format!("day {}", list(set)),
            MonthDays::Numbers(set) => format!("days {}", list(set)),
            MonthDays::Each(2) => "every second day from day 1".to_owned(),
            MonthDays::Each(step) => format!("every {step}th day from day 1").replace("3th", "third"),
            MonthDays::FromLast(0) => "the last day".to_owned(),
            MonthDays::FromLast(1) => "the day before the last".to_owned(),
            MonthDays::FromLast(days) => format!("the day {days} days before the last"),
            MonthDays::NearestWeekday(day) => format!("the Monday-to-Friday day nearest to day {day}"),
            MonthDays::LastWeekday => "the last Monday-to-Friday day".to_owned(),
        })
        .collect();
    format!("on {} of the month", joined(&told, " and "))
}

fn list(set: &Set) -> String {
    joined(&ranges(&set.ranges, " to ", |value| value.to_string()), " and ")
}

fn week_days(days: &[WeekDays]) -> String {
    let told: Vec<String> = days
        .iter()
        .map(|days| match days {
            WeekDays::Names(set) => {
                joined(&ranges(&set.ranges, " to ", |day| WEEKDAYS[usize::from(day)].to_owned()), " and ")
            }
            WeekDays::Nth(day, nth) => {
                let nth = ["first", "second", "third", "fourth", "fifth"][usize::from(*nth) - 1];
                format!("the {nth} {} of the month", WEEKDAYS[usize::from(*day)])
            }
            WeekDays::Last(day) => format!("the last {} of the month", WEEKDAYS[usize::from(*day)]),
        })
        .collect();
    match days {
        [WeekDays::Names(set)] if matches!(set.ranges[..], [(first, last)] if first < last) => told[0].clone(),
        _ => format!("on {}", joined(&told, " and ")),
    }
}

fn month(month: u16) -> String {
    MONTHS[usize::from(month) - 1].to_owned()
}
