//! Days on which nothing is due: public holidays, weekends, a closing of the books.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};

use crate::field::WEEKDAY_NAMES;

/// Named days, excluded from a trigger by [`CronTrigger::except`](crate::CronTrigger::except).
///
/// Its text has a day or a range of days a line, and after it perhaps a name; `#` begins a comment:
///
/// ```
/// use scheduler_cron::Calendar;
///
/// let calendar = Calendar::parse(
///     "office",
///     "2026-02-17 Imlek            # one date
///      2026-03-21..2026-03-22      # a range of dates
///      *-12-25 Natal               # the same date every year
///      SAT",
/// )?;
/// assert_eq!(calendar.excludes("2030-12-25".parse()?), Some("Natal"));
/// assert_eq!(calendar.excludes("2026-03-22".parse()?), Some(""));
/// assert_eq!(calendar.excludes("2026-03-23".parse()?), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `calendars/id-holidays.cal` is a sample, the public holidays of Indonesia.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    name: Box<str>,
    dates: BTreeMap<NaiveDate, Box<str>>,
    /// Month and day.
    yearly: BTreeMap<(u32, u32), Box<str>>,
    /// Sunday is 0.
    weekdays: BTreeSet<u8>,
}

/// A line of a calendar that is none of its forms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calendar `{calendar}`, line {line}: `{text}` {problem}")]
#[non_exhaustive]
pub struct CalendarError {
    /// The calendar's name.
    pub calendar: Box<str>,
    /// The line, counted from 1.
    pub line: usize,
    /// The wrong part of it, at most 64 characters.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// A range of more days is a slip of the year.
const LONGEST_RANGE: i64 = 366;

const FORMS: &str = "is no day: write `2026-12-25`, `2026-12-24..2026-12-26`, `*-12-25` or `SAT`";

enum Day {
    Dates(RangeInclusive<NaiveDate>),
    Yearly(u32, u32),
    Weekday(u8),
}

impl Calendar {
    /// Reads a calendar. The name is the one that a trigger calls it by, as in `except = "id-holidays"`.
    ///
    /// # Errors
    ///
    /// The first line that is no day, a range that counts backwards or lasts longer than a year, or a calendar that leaves no weekday.
    pub fn parse(name: &str, text: &str) -> Result<Calendar, CalendarError> {
        let mut calendar =
            Calendar { name: name.into(), dates: BTreeMap::new(), yearly: BTreeMap::new(), weekdays: BTreeSet::new() };
        for (line, source) in (1..).zip(text.lines()) {
            let entry = source.split('#').next().unwrap_or_default().trim();
            if entry.is_empty() {
                continue;
            }
            let (day, label) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
            let refuse = |problem| CalendarError {
                calendar: name.into(),
                line,
                text: day.chars().take(64).filter(|c| !c.is_control()).collect(),
                problem,
            };
            match Day::parse(day).map_err(refuse)? {
                Day::Dates(range) => {
                    for date in range.start().iter_days().take_while(|date| range.contains(date)) {
                        calendar.dates.insert(date, label.trim().into());
                    }
                }
                Day::Yearly(month, day) => {
                    calendar.yearly.insert((month, day), label.trim().into());
                }
                Day::Weekday(weekday) => {
                    calendar.weekdays.insert(weekday);
                }
            }
            if calendar.weekdays.len() == 7 {
                return Err(refuse("leaves no weekday: nothing would ever be due"));
            }
        }
        Ok(calendar)
    }

    /// The name that triggers call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of what is on that day, empty if it has none; nothing if the day is not excluded.
    pub fn excludes(&self, date: NaiveDate) -> Option<&str> {
        let weekday = date.weekday().num_days_from_sunday() as u8;
        let named = self.dates.get(&date).or_else(|| self.yearly.get(&(date.month(), date.day())));
        named
            .map(|name| &**name)
            .or_else(|| self.weekdays.contains(&weekday).then(|| WEEKDAY_NAMES[usize::from(weekday)]))
    }

    /// The days that are taken out, whatever they are called: lines that [`Calendar::parse`] reads. A calendar of other comments, names or
    /// order has the same.
    ///
    /// ```
    /// use scheduler_cron::Calendar;
    ///
    /// let calendar = Calendar::parse("office", "2026-03-22\nSAT\n2026-03-21 # Idul Fitri\n*-12-25 Natal")?;
    /// assert_eq!(calendar.days(), ["SAT", "*-12-25", "2026-03-21..2026-03-22"]);
    /// # Ok::<(), scheduler_cron::CalendarError>(())
    /// ```
    pub fn days(&self) -> Vec<String> {
        let weekdays = self.weekdays.iter().map(|&weekday| WEEKDAY_NAMES[usize::from(weekday)].to_owned());
        let yearly = self.yearly.keys().map(|(month, day)| format!("*-{month:02}-{day:02}"));
        let mut ranges: Vec<(NaiveDate, NaiveDate)> = Vec::new();
        for &date in self.dates.keys() {
            match ranges.last_mut() {
                Some((first, last)) if last.succ_opt() == Some(date) && (date - *first).num_days() < LONGEST_RANGE => {
                    *last = date;
                }
                _ => ranges.push((date, date)),
            }
        }
        let dates = ranges
            .into_iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}..{last}") });
        weekdays.chain(yearly).chain(dates).collect()
    }

    /// The last date that is named with its year: from the year after on, a calendar of movable days knows nothing.
    pub fn last_date(&self) -> Option<NaiveDate> {
        self.dates.last_key_value().map(|(date, _)| *date)
    }
}

impl Day {
    fn parse(text: &str) -> Result<Day, &'static str> {
        if let Some(weekday) = WEEKDAY_NAMES.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(Day::Weekday(weekday as u8));
        }
        if let Some(day) = text.strip_prefix("*-") {
            // A leap year has all dates.
            let date = date(&format!("2024-{day}")).ok_or(FORMS)?;
            return Ok(Day::Yearly(date.month(), date.day()));
        }
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (date(first).ok_or(FORMS)?, date(last).ok_or(FORMS)?);
        match (last - first).num_days() {
            ..0 => Err("counts backwards"),
            LONGEST_RANGE.. => Err("is longer than a year"),
            _ => Ok(Day::Dates(first..=last)),
        }
    }
}

/// `2026-12-25`, with all its digits.
fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    shaped.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLIDAYS: &str = include_str!("../calendars/id-holidays.cal");

    #[test]
    fn the_sample_names_the_holidays_of_indonesia() {
        let calendar = Calendar::parse("id-holidays", HOLIDAYS).expect("valid");
        let on = |date: &str| calendar.excludes(date.parse().expect("a date")).map(str::to_owned);
        assert_eq!(on("2026-08-17").as_deref(), Some("Proklamasi Kemerdekaan"));
        assert_eq!(on("2026-03-22").as_deref(), Some("Idul Fitri 1447 Hijriah"));
        assert_eq!(on("2026-03-23"), None);
        // As many as the decrees count.
        for year in [2025, 2026] {
            let days = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date").iter_days();
            let year = days.take_while(|date| date.year() == year);
            assert_eq!(year.filter(|&date| calendar.excludes(date).is_some()).count(), 17);
        }
        assert_eq!(calendar.last_date(), NaiveDate::from_ymd_opt(2026, 8, 25));
    }

    #[test]
    fn its_days_read_back_as_the_calendar() {
        for text in [HOLIDAYS, "SAT\nSUN", "", "2026-01-01..2026-12-31\n2027-01-01..2027-12-31\n*-02-29"] {
            let calendar = Calendar::parse("some", text).expect("valid");
            let again = Calendar::parse("some", &calendar.days().join("\n")).expect("valid");
            assert_eq!(again.days(), calendar.days());
            assert!(again.dates.keys().eq(calendar.dates.keys()) && again.yearly.keys().eq(calendar.yearly.keys()));
            assert_eq!(again.weekdays, calendar.weekdays);
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line, wrong) in [
            ("\n2026-02-30", 2, "2026-02-30"),
            ("2026-1-1", 1, "2026-1-1"),
            ("# fine\nSAT\nMONDAY", 3, "MONDAY"),
            ("*-13-01 x", 1, "*-13-01"),
            ("2026-05-02..2026-05-01", 1, "2026-05-02..2026-05-01"),
            ("2026-05-02..2028-05-01", 1, "2026-05-02..2028-05-01"),
            ("MON\nTUE\nWED\nTHU\nFRI\nSAT\nSUN", 7, "SUN"),
        ] {
            let error = Calendar::parse("office", text).expect_err(text);
            assert_eq!((error.line, error.text.as_str()), (line, wrong), "{error}");
        }
        let error = Calendar::parse("office", "25 December").expect_err("no form");
        assert_eq!(
            error.to_string(),
            "calendar `office`, line 1: `25` is no day: write `2026-12-25`, `2026-12-24..2026-12-26`, `*-12-25` or `SAT`"
        );
    }
}
