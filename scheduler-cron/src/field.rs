//! The fields of an expression: their names, ranges and the names their values may have.

use std::fmt;

/// A field of a cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Seconds, 0–59: the first of six or seven fields.
    Second,
    /// Minutes, 0–59: the first of five fields.
    Minute,
    /// Hours, 0–23.
    Hour,
    /// Days of the month, 1–31.
    DayOfMonth,
    /// Months, 1–12 or `JAN`–`DEC`.
    Month,
    /// Weekdays, 0–7 or `SUN`–`SAT`; 0 and 7 are Sunday.
    DayOfWeek,
    /// Years, 1970–2199: the last of seven fields.
    Year,
}

pub(crate) const MONTH_NAMES: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
pub(crate) const WEEKDAY_NAMES: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Field {
    /// The smallest and the largest number that may stand in the field.
    pub const fn range(self) -> (u16, u16) {
        match self {
            Field::Second | Field::Minute => (0, 59),
            Field::Hour => (0, 23),
            Field::DayOfMonth => (1, 31),
            Field::Month => (1, 12),
            Field::DayOfWeek => (0, 7),
            Field::Year => (crate::civil::FIRST_YEAR, crate::civil::LAST_YEAR),
        }
    }

    /// How many different values the field has; Sunday's two numbers are one value.
    pub(crate) const fn count(self) -> u16 {
        let (min, max) = self.range();
        match self {
            Field::DayOfWeek => 7,
            _ => max - min + 1,
        }
    }

    /// The names that stand for numbers in this field.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Field::Month => &MONTH_NAMES,
            Field::DayOfWeek => &WEEKDAY_NAMES,
            _ => &[],
        }
    }

    pub(crate) const fn is_day(self) -> bool {
        matches!(self, Field::DayOfMonth | Field::DayOfWeek)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Field::Second => "second",
            Field::Minute => "minute",
            Field::Hour => "hour",
            Field::DayOfMonth => "day of month",
            Field::Month => "month",
            Field::DayOfWeek => "day of week",
            Field::Year => "year",
        })
    }
}
