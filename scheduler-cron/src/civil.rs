//! Dates of the proleptic Gregorian calendar as day numbers, for the years an expression can name.

/// The first year in which an occurrence can lie.
pub(crate) const FIRST_YEAR: u16 = 1970;
/// The last year in which an occurrence can lie.
pub(crate) const LAST_YEAR: u16 = 2199;
/// Seconds of a day on the wall clock, which knows no leap seconds.
pub(crate) const DAY: i64 = 86_400;
/// The wall-clock second after the last year.
pub(crate) const END: i64 = days_before_year(LAST_YEAR + 1) as i64 * DAY;

const DAYS_BEFORE_MONTH: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// A date; `month` and `day` count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

impl Date {
    /// The date of a day number, day 0 being 1970-01-01.
    ///
    /// After Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022): three
    /// multiplications where the textbook way needs a chain of divisions.
    pub(crate) const fn of_day(day: u32) -> Date {
        let n1 = 4 * (day + 719_468) + 3;
        let century = n1 / 146_097;
        let n2 = (n1 % 146_097) | 3;
        let product = 2_939_745 * n2 as u64;
        let year = 100 * century + (product >> 32) as u32;
        let day_of_year = (product as u32) / 2_939_745 / 4;
        let n3 = 2_141 * day_of_year + 197_913;
        let after_february = day_of_year < 306;
        let month = n3 >> 16;
        Date {
            year: (year + !after_february as u32) as u16,
            month: if after_february { month as u8 } else { month as u8 - 12 },
            day: ((n3 & 0xffff) / 2_141) as u8 + 1,
        }
    }
}

/// The day number of the month's first day.
pub(crate) const fn first_of_month(year: u16, month: u8) -> u32 {
    let leap_day = (month > 2 && is_leap(year)) as u32;
    days_before_year(year) + DAYS_BEFORE_MONTH[month as usize - 1] as u32 + leap_day
}

/// The weekday of a day number, 0 being Sunday.
pub(crate) const fn weekday(day: u32) -> u8 {
    ((day + 4) % 7) as u8
}

/// How many days the month has.
pub(crate) const fn month_length(year: u16, month: u8) -> u8 {
    match month {
        2 => 28 + is_leap(year) as u8,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const fn is_leap(year: u16) -> bool {
    // 2000 is a leap year and 2100 is not: the only two centuries between 1970 and 2199.
    year.is_multiple_of(4) && year != 2100
}

const fn days_before_year(year: u16) -> u32 {
    let years = (year - FIRST_YEAR) as u32;
    365 * years + (years + 1) / 4 - (year > 2100) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn every_day_of_the_range_agrees_with_chrono() {
        let mut date = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
        for day in 0..(END / DAY) as u32 {
            let ours = Date::of_day(day);
            assert_eq!(
                (i32::from(ours.year), u32::from(ours.month), u32::from(ours.day)),
                (date.year(), date.month(), date.day())
            );
            assert_eq!(first_of_month(ours.year, ours.month) + u32::from(ours.day) - 1, day);
            assert_eq!(u32::from(weekday(day)), date.weekday().num_days_from_sunday());
            assert_eq!(month_length(ours.year, ours.month), date.num_days_in_month());
            date = date.succ_opt().expect("a date");
        }
        assert_eq!(date, NaiveDate::from_ymd_opt(2200, 1, 1).expect("a date"));
    }
}
