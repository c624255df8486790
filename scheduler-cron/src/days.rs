//! The day rule: which days of a month an expression's two day fields name.

use crate::civil::{first_of_month, weekday};
use crate::expr::{CronExpr, Flags, SpecialDays};

/// One bit a week, from bit 0 on.
const WEEKLY: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35;

/// The matching days, bit 1 to bit 31, of a month of `length` days.
pub(crate) fn matching_days(expr: &CronExpr, year: u16, month: u8, length: u8) -> u32 {
    let all = (u32::MAX >> (31 - length)) & !1;
    let (any_day, any_weekday) = (expr.flags.has(Flags::ANY_DAY), expr.flags.has(Flags::ANY_WEEKDAY));
    if any_day && any_weekday {
        return all;
    }
    if any_weekday && !expr.flags.has(Flags::SPECIAL) {
        return expr.days & all;
    }
    let first = weekday(first_of_month(year, month));
    let mut days = expr.days;
    let mut weekdays = each(expr.weekdays, first) & all;
    if expr.flags.has(Flags::SPECIAL) {
        days |= special_days(&expr.special, first, length);
        weekdays |= special_weekdays(&expr.special, first, length) & all;
    }
    days &= all;
    match (any_day, any_weekday) {
        (false, true) => days,
        (true, false) => weekdays,
        _ if expr.flags.has(Flags::BOTH_DAYS) => days & weekdays,
        _ => days | weekdays,
    }
}

/// Every day of the month on one of the weekdays, bit 1 on, if the month's first is weekday `first`.
fn each(weekdays: u8, first: u8) -> u32 {
    ((u64::from(weekdays) * WEEKLY) >> first << 1) as u32
}

fn special_days(special: &SpecialDays, first: u8, length: u8) -> u32 {
    let mut days = 0;
    for back in bits(special.from_last) {
        if back < u32::from(length) {
            days |= 1 << (u32::from(length) - back);
        }
    }
    for day in bits(special.nearest_weekday) {
        match day as u8 {
            0 => days |= 1 << nearest_weekday(length, first, length),
            // A month without the day has no weekday near it.
            day if day <= length => days |= 1 << nearest_weekday(day, first, length),
            _ => {}
        }
    }
    days
}

/// The Monday-to-Friday day nearest to `day` in the same month.
fn nearest_weekday(day: u8, first: u8, length: u8) -> u8 {
    match (first + day - 1) % 7 {
        6 if day == 1 => 3,
        6 => day - 1,
        0 if day == length => day - 2,
        0 => day + 1,
        _ => day,
    }
}

fn special_weekdays(special: &SpecialDays, first: u8, length: u8) -> u32 {
    // The last seven days hold each weekday once, as do the k-th seven.
    let mut days = each(special.last_weekday, first) & (0x7f << (length - 6));
    for (week, &weekdays) in special.nth_weekday.iter().enumerate() {
        let seven_days = (0x7f_u64 << (week * 7 + 1)) as u32;
        days |= each(weekdays, first) & seven_days;
    }
    days
}

fn bits(mut set: u32) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros())?;
        set &= set - 1;
        Some(bit)
    })
}
