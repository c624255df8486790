//! Durations as people write them: `90s`, `8m`, `1h 30m`.

use std::fmt::{self, Write};
use std::time::Duration;

/// The units, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Words that people write for the units.
const LONG_UNITS: [(&str, &str); 20] = [
    ("day", "d"),
    ("days", "d"),
    ("hour", "h"),
    ("hours", "h"),
    ("hr", "h"),
    ("hrs", "h"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("w", "7d"),
    ("week", "7d"),
];

/// Longer text is refused unread.
const MAX_BYTES: usize = 64;

/// Why a duration was refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError {
    part: String,
    problem: &'static str,
    help: String,
}

impl DurationError {
    fn new(part: &str, problem: &'static str, help: impl Into<String>) -> DurationError {
        let part = part.chars().take(MAX_BYTES).filter(|c| !c.is_control()).collect();
        DurationError { part, problem, help: help.into() }
    }

    /// The part that is wrong.
    pub fn part(&self) -> &str {
        &self.part
    }

    /// What to write instead.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "duration `{}` {}", self.part, self.problem)
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration: whole numbers with a unit each (`d`, `h`, `m`, `s`, `ms`), the larger unit first, with or without spaces between.
///
/// # Errors
///
/// Anything else; the error names the part and says what to write.
///
/// ```
/// use std::time::Duration;
/// use scheduler_cron::parse_duration;
///
/// assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
/// let error = parse_duration("90").unwrap_err();
/// assert_eq!(error.to_string(), "duration `90` has no unit");
/// assert_eq!(error.help(), "write `90s` for seconds, `90m` for minutes");
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.len() > MAX_BYTES {
        return Err(DurationError::new(text, "is too long", "write the larger unit first and each once, as `1h 30m`"));
    }
    let mut rest = text.trim_matches(' ');
    if rest.is_empty() {
        return Err(DurationError::new("", "is empty", "write a number and a unit, as `90s`"));
    }
    let mut millis = 0_u64;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let (number, unit, part) = (&rest[..digits], &rest[digits..digits + letters], &rest[..digits + letters]);
        if digits == 0 {
            return Err(no_number(rest));
        }
        if letters == 0 {
            return Err(no_unit(rest, number));
        }
        let Some(&(_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(unknown_unit(part, number, unit));
        };
        if size >= last_unit {
            return Err(DurationError::new(
                part,
                "follows a smaller or the same unit",
                "write the larger unit first and each once, as `1h 30m`",
            ));
        }
        last_unit = size;
        let value = number.parse::<u64>().ok().and_then(|number| number.checked_mul(size));
        let Some(sum) = value.and_then(|value| millis.checked_add(value)) else {
            return Err(DurationError::new(part, "is too large", "write at most 213503982334d"));
        };
        millis = sum;
        rest = rest[digits + letters..].trim_start_matches(' ');
    }
    Ok(Duration::from_millis(millis))
}

fn no_number(rest: &str) -> DurationError {
    let part = rest.split(' ').next().unwrap_or(rest);
    let problem = if part.starts_with('-') { "is negative" } else { "has no number" };
    DurationError::new(part, problem, "write a number and a unit, as `90s`")
}

fn no_unit(rest: &str, number: &str) -> DurationError {
    let part = rest.split(' ').next().unwrap_or(rest);
    if part.starts_with([',', '.']) || part[number.len()..].starts_with([',', '.']) {
        return DurationError::new(
            part,
            "is not a whole number",
            "write a smaller unit, as `1h 30m` for one and a half hours",
        );
    }
    if let Some((unit, _)) = UNITS.iter().find(|(unit, _)| rest[number.len()..].trim_start().starts_with(unit)) {
        return DurationError::new(rest, "has a space before its unit", format!("write `{number}{unit}`"));
    }
    DurationError::new(part, "has no unit", format!("write `{number}s` for seconds, `{number}m` for minutes"))
}

fn unknown_unit(part: &str, number: &str, unit: &str) -> DurationError {
    let lower = unit.to_ascii_lowercase();
    let short = UNITS.iter().find(|(name, _)| *name == lower).map(|(name, _)| *name);
    let known = short.or_else(|| LONG_UNITS.iter().find(|(long, _)| *long == lower).map(|(_, short)| *short));
    let help = match known {
        Some("7d") => format!("write `{}d`", number.parse::<u64>().unwrap_or(1).saturating_mul(7)),
        Some(short) => format!("write `{number}{short}`"),
        None => "the units are `d`, `h`, `m`, `s` and `ms`".to_owned(),
    };
    DurationError::new(part, "has an unknown unit", help)
}

/// Prints a duration so that [`parse_duration`] reads it back, whole milliseconds at the finest: `1h 30m`.
pub fn format_duration(duration: Duration) -> String {
    let mut text = String::new();
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    for (unit, size) in UNITS {
        let number = left / size;
        left %= size;
        if number > 0 {
            let space = if text.is_empty() { "" } else { " " };
            write!(text, "{space}{number}{unit}").expect("a string takes all text");
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        for (text, millis) in [
            ("90s", 90_000),
            ("8m", 480_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("2d", 172_800_000),
            (" 1d 2h 3m 4s 5ms ", 93_784_005),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn each_mistake_is_named_with_its_mend() {
        for (text, message, help) in [
            ("", "duration `` is empty", "write a number and a unit, as `90s`"),
            ("5 minutes", "duration `5 minutes` has a space before its unit", "write `5m`"),
            ("5minutes", "duration `5minutes` has an unknown unit", "write `5m`"),
            ("5M", "duration `5M` has an unknown unit", "write `5m`"),
            ("2weeks", "duration `2weeks` has an unknown unit", "the units are `d`, `h`, `m`, `s` and `ms`"),
            ("2w", "duration `2w` has an unknown unit", "write `14d`"),
            (
                "1.5h",
                "duration `1.5h` is not a whole number",
                "write a smaller unit, as `1h 30m` for one and a half hours",
            ),
            ("-5s", "duration `-5s` is negative", "write a number and a unit, as `90s`"),
            ("h", "duration `h` has no number", "write a number and a unit, as `90s`"),
            (
                "30m 1h",
                "duration `1h` follows a smaller or the same unit",
                "write the larger unit first and each once, as `1h 30m`",
            ),
            (
                "1h 1h",
                "duration `1h` follows a smaller or the same unit",
                "write the larger unit first and each once, as `1h 30m`",
            ),
            ("99999999999999999999s", "duration `99999999999999999999s` is too large", "write at most 213503982334d"),
            ("5µs", "duration `5µs` has no unit", "write `5s` for seconds, `5m` for minutes"),
        ] {
            let error = parse_duration(text).expect_err(text);
            assert_eq!((error.to_string().as_str(), error.help()), (message, help), "{text}");
        }
        assert!(parse_duration(&"1h ".repeat(1 << 20)).is_err());
    }

    #[test]
    fn a_printed_duration_is_read_back() {
        for millis in [0, 1, 999, 1_000, 61_001, 3_600_000, 90_061_001, u64::MAX] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
        assert_eq!(format_duration(Duration::from_secs(300)), "5m");
    }
}
