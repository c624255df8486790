//! The rule by which clocks go on after the last change that is listed, as the variable `TZ` of POSIX and RFC 9636 write it:
//! `EST5EDT,M3.2.0,M11.1.0`.

use super::abbreviation::Abbreviation;
use super::table;
use crate::civil::{DAY, FIRST_YEAR, LAST_YEAR, first_of_month, month_length, weekday};

/// Offsets in seconds ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    standard: i32,
    standard_name: Abbreviation,
    daylight: Option<Daylight>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Daylight {
    offset: i32,
    name: Abbreviation,
    start: Change,
    end: Change,
}

/// A time of the year on the clock before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    day: Day,
    /// Seconds from that day's midnight, perhaps before it or days after it.
    time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// 1 to 365, 29 February never counted.
    Julian(u16),
    /// 0 to 365, 29 February counted.
    OfYear(u16),
    /// The `week`th `weekday` of the month, 5 being the last.
    Weekday { month: u8, week: u8, weekday: u8 },
}

impl Rule {
    pub(super) fn parse(text: &str) -> Option<Rule> {
        let mut reader = Reader(text);
        let standard_name = reader.name()?;
        let standard = -i32::try_from(reader.time(24)?).ok()?;
        if reader.0.is_empty() {
            return Some(Rule { standard, standard_name, daylight: None });
        }
        let name = reader.name()?;
        let offset = match reader.0.starts_with(',') {
            true => standard + 3600,
            false => -i32::try_from(reader.time(24)?).ok()?,
        };
        let daylight = Daylight { offset, name, start: reader.change()?, end: reader.change()? };
        let possible = |offset: i32| offset.abs() < 24 * 3600;
        let whole = reader.0.is_empty() && possible(standard) && possible(offset);
        whole.then_some(Rule { standard, standard_name, daylight: Some(daylight) })
    }

    /// From when on which offset holds, after an instant and until the last year that expressions reach.
    pub(super) fn changes_after(&self, after: i64) -> Vec<table::Change> {
        let Some(Daylight { offset, name, start, end }) = self.daylight else {
            // The last change listed has led to it.
            return Vec::new();
        };
        let mut changes: Vec<table::Change> = (FIRST_YEAR..=LAST_YEAR)
            .flat_map(|year| {
                let to_standard = table::Change {
                    at: end.wall(year) - i64::from(offset),
                    offset: self.standard,
                    name: self.standard_name,
                };
                [to_standard, table::Change { at: start.wall(year) - i64::from(self.standard), offset, name }]
            })
            .filter(|change| change.at > after)
            .collect();
        // Stable: where one ends as the next begins (all the year), the beginning stands last and counts.
        changes.sort_by_key(|change| change.at);
        changes
    }
}

impl Change {
    /// Seconds on the wall clock of that year.
    fn wall(&self, year: u16) -> i64 {
        let new_year = first_of_month(year, 1);
        let leap = u32::from(month_length(year, 2) == 29);
        let day = match self.day {
            Day::Julian(day) => new_year + u32::from(day) - 1 + if day > 59 { leap } else { 0 },
            Day::OfYear(day) => new_year + u32::from(day),
            Day::Weekday { month, week, weekday: wanted } => {
                let first = first_of_month(year, month);
                let to_first = (wanted + 7 - weekday(first)) % 7;
                let length = month_length(year, month);
                let mut day = to_first + (week - 1) * 7;
                if day >= length {
                    day -= 7;
                }
                first + u32::from(day)
            }
        };
        i64::from(day) * DAY + self.time
    }
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn eat(&mut self, character: char) -> bool {
        self.0.strip_prefix(character).map(|rest| self.0 = rest).is_some()
    }

    /// `EST`, or `<+07>`.
    fn name(&mut self) -> Option<Abbreviation> {
        let (name, rest) = if self.eat('<') {
            self.0.split_once('>')?
        } else {
            self.0.split_at(self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len()))
        };
        self.0 = rest;
        (name.len() >= 2).then(|| Abbreviation::new(name.as_bytes()))
    }

    fn number(&mut self, max: i64) -> Option<i64> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        digits.parse().ok().filter(|&number| number <= max)
    }

    /// `-3`, `5:30`, `26:00:01`, in seconds.
    fn time(&mut self, max_hours: i64) -> Option<i64> {
        let negative = self.eat('-');
        if !negative {
            self.eat('+');
        }
        let mut seconds = self.number(max_hours)? * 3600;
        for unit in [60, 1] {
            if self.eat(':') {
                seconds += self.number(59)? * unit;
            } else {
                break;
            }
        }
        Some(if negative { -seconds } else { seconds })
    }

    /// `,M3.2.0/2`.
    fn change(&mut self) -> Option<Change> {
        if !self.eat(',') {
            return None;
        }
        let day = if self.eat('M') {
            let month = self.number(12)? as u8;
            let week = self.eat('.').then(|| self.number(5))?? as u8;
            let weekday = self.eat('.').then(|| self.number(6))?? as u8;
            (month > 0 && week > 0).then_some(Day::Weekday { month, week, weekday })?
        } else if self.eat('J') {
            Day::Julian(self.number(365).filter(|&day| day > 0)? as u16)
        } else {
            Day::OfYear(self.number(365)? as u16)
        };
        let time = if self.eat('/') { self.time(167)? } else { 2 * 3600 };
        Some(Change { day, time })
    }
}
