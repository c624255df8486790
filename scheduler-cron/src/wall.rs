//! Which wall-clock times an expression names, zones aside.
//!
//! A wall-clock time is its seconds since 1970-01-01T00:00 on the wall clock.

use crate::civil::{DAY, Date, END, FIRST_YEAR, LAST_YEAR, first_of_month, month_length};
use crate::days::matching_days;
use crate::expr::CronExpr;

/// The first named time at or after `from`.
pub(crate) fn next(expr: &CronExpr, from: i64) -> Option<i64> {
    let from = from.max(0);
    if from >= END {
        return None;
    }
    let day = (from / DAY) as u32;
    let date = Date::of_day(day);
    let days = days_of(expr, date.year, date.month) >> date.day;
    if days & 1 != 0
        && let Some(second) = next_second(expr, (from % DAY) as u32)
    {
        return Some(from - from % DAY + i64::from(second));
    }
    let first = first_second(expr);
    let later = days & !1;
    if later != 0 {
        return Some(i64::from(day + later.trailing_zeros()) * DAY + first);
    }
    let (year, month, day) = next_day(expr, date.year, date.month)?;
    Some(i64::from(first_of_month(year, month) + day - 1) * DAY + first)
}

/// The last named time at or before `to`.
pub(crate) fn previous(expr: &CronExpr, to: i64) -> Option<i64> {
    if to < 0 {
        return None;
    }
    let to = to.min(END - 1);
    let day = (to / DAY) as u32;
    let date = Date::of_day(day);
    let days = days_of(expr, date.year, date.month);
    if days & (1 << date.day) != 0
        && let Some(second) = previous_second(expr, (to % DAY) as u32)
    {
        return Some(to - to % DAY + i64::from(second));
    }
    let last = last_second(expr);
    let earlier = days & ((1 << date.day) - 1);
    if earlier != 0 {
        let back = u32::from(date.day) - earlier.ilog2();
        return Some(i64::from(day - back) * DAY + last);
    }
    let (year, month, day) = previous_day(expr, date.year, date.month)?;
    Some(i64::from(first_of_month(year, month) + day - 1) * DAY + last)
}

/// The days of a month that the expression names, or none if it does not name the month.
fn days_of(expr: &CronExpr, year: u16, month: u8) -> u32 {
    let named = expr.months & (1 << month) != 0 && expr.years.contains(year);
    if named { matching_days(expr, year, month, month_length(year, month)) } else { 0 }
}

/// The first named day in a month after the one given.
fn next_day(expr: &CronExpr, mut year: u16, mut month: u8) -> Option<(u16, u8, u32)> {
    loop {
        let later = expr.months & !((2 << month) - 1);
        if later != 0 {
            month = later.trailing_zeros() as u8;
            let days = days_of(expr, year, month);
            if days != 0 {
                return Some((year, month, days.trailing_zeros()));
            }
        } else {
            (year, month) = (year + 1, 0);
            if year > LAST_YEAR {
                return None;
            }
        }
    }
}

/// The last named day in a month before the one given.
fn previous_day(expr: &CronExpr, mut year: u16, mut month: u8) -> Option<(u16, u8, u32)> {
    loop {
        let earlier = expr.months & ((1 << month) - 1);
        if earlier != 0 {
            month = earlier.ilog2() as u8;
            let days = days_of(expr, year, month);
            if days != 0 {
                return Some((year, month, days.ilog2()));
            }
        } else {
            // Above December, so that all of its bits are earlier.
            (year, month) = (year - 1, 13);
            if year < FIRST_YEAR {
                return None;
            }
        }
    }
}

/// The first named second of a day at or after `from`.
fn next_second(expr: &CronExpr, from: u32) -> Option<u32> {
    let (hour, minute, second) = (from / 3600, from / 60 % 60, from % 60);
    if expr.hours >> hour & 1 != 0 {
        if expr.minutes >> minute & 1 != 0 {
            let seconds = expr.seconds >> second;
            if seconds != 0 {
                return Some(from + seconds.trailing_zeros());
            }
        }
        let minutes = expr.minutes & !((2 << minute) - 1);
        if minutes != 0 {
            return Some(hour * 3600 + minutes.trailing_zeros() * 60 + expr.seconds.trailing_zeros());
        }
    }
    let hours = expr.hours & !((2 << hour) - 1);
    (hours != 0)
        .then(|| hours.trailing_zeros() * 3600 + expr.minutes.trailing_zeros() * 60 + expr.seconds.trailing_zeros())
}

/// The last named second of a day at or before `to`.
fn previous_second(expr: &CronExpr, to: u32) -> Option<u32> {
    let (hour, minute, second) = (to / 3600, to / 60 % 60, to % 60);
    if expr.hours >> hour & 1 != 0 {
        if expr.minutes >> minute & 1 != 0 {
            let seconds = expr.seconds & ((2 << second) - 1);
            if seconds != 0 {
                return Some(to - second + seconds.ilog2());
            }
        }
        let minutes = expr.minutes & ((1 << minute) - 1);
        if minutes != 0 {
            return Some(hour * 3600 + minutes.ilog2() * 60 + expr.seconds.ilog2());
        }
    }
    let hours = expr.hours & ((1 << hour) - 1);
    (hours != 0).then(|| hours.ilog2() * 3600 + expr.minutes.ilog2() * 60 + expr.seconds.ilog2())
}

fn first_second(expr: &CronExpr) -> i64 {
    i64::from(expr.hours.trailing_zeros() * 3600 + expr.minutes.trailing_zeros() * 60 + expr.seconds.trailing_zeros())
}

fn last_second(expr: &CronExpr) -> i64 {
    i64::from(expr.hours.ilog2() * 3600 + expr.minutes.ilog2() * 60 + expr.seconds.ilog2())
}
