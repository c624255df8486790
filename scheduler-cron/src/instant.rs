//! Instants as people write them: `2026-12-31T23:00:00Z`, `2026-12-31T23:00:00+07:00`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound as _, Utc};

/// Longer text is refused unread.
const MAX_BYTES: usize = 64;

/// Why an instant was refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstantError {
    text: String,
    problem: &'static str,
    help: String,
}

impl InstantError {
    fn new(text: &str, problem: &'static str, help: impl Into<String>) -> InstantError {
        let text = text.chars().take(MAX_BYTES).filter(|c| !c.is_control()).collect();
        InstantError { text, problem, help: help.into() }
    }

    /// What to write instead.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for InstantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instant `{}` {}", self.text, self.problem)
    }
}

impl std::error::Error for InstantError {}

/// Reads an instant as RFC 3339 has it: a date, a time of day and the offset from UTC; to the millisecond, as occurrences are.
///
/// # Errors
///
/// Anything else, and above all a time without an offset: it would be another instant on each machine.
///
/// ```
/// use scheduler_cron::parse_instant;
///
/// assert_eq!(parse_instant("2027-01-01T06:00:00+07:00"), parse_instant("2026-12-31T23:00:00Z"));
/// let error = parse_instant("2026-12-31T23:00:00").unwrap_err();
/// assert_eq!(error.to_string(), "instant `2026-12-31T23:00:00` has no zone");
/// assert_eq!(error.help(), "write `2026-12-31T23:00:00Z` for UTC, or an offset, as `2026-12-31T23:00:00+07:00`");
/// ```
pub fn parse_instant(text: &str) -> Result<DateTime<Utc>, InstantError> {
    let example = "write date, time and offset, as `2026-12-31T23:00:00Z` or `2026-12-31T23:00:00+07:00`";
    if text.len() > MAX_BYTES {
        return Err(InstantError::new(text, "is too long", example));
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc().trunc_subsecs(3));
    }
    let text = text.trim();
    let with_offsets = |local: &str| format!("write `{local}Z` for UTC, or an offset, as `{local}+07:00`");
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        let Ok((local, rest)) = NaiveDateTime::parse_and_remainder(text, format) else { continue };
        let local = local.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
        return Err(match rest.trim() {
            "" => InstantError::new(text, "has no zone", with_offsets(&local)),
            // Only its form is wrong, as seconds that are missing.
            "Z" | "z" => InstantError::new(text, "is not written as RFC 3339 has it", format!("write `{local}Z`")),
            rest if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                InstantError::new(text, "has the name of a zone in place of an offset", with_offsets(&local))
            }
            _ => InstantError::new(text, "is not written as RFC 3339 has it", with_offsets(&local)),
        });
    }
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) => {
            let help =
                format!("write `{date}T00:00:00Z` for its beginning in UTC, or an offset, as `{date}T00:00:00+07:00`");
            Err(InstantError::new(text, "has no time of day", help))
        }
        Err(_) => Err(InstantError::new(text, "is none that a calendar has", example)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_with_its_offset_and_to_the_millisecond() {
        let expected = DateTime::from_timestamp_millis(1_798_758_000_123);
        for text in ["2026-12-31T23:00:00.123Z", "2027-01-01T06:00:00.1239+07:00", "2026-12-31t13:30:00.123-09:30"] {
            assert_eq!(parse_instant(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_says_what_it_lacks() {
        for (text, problem, help) in [
            ("2026-12-31T23:00:00", "has no zone", "write `2026-12-31T23:00:00Z` for UTC"),
            ("2026-12-31 23:00", "has no zone", "write `2026-12-31T23:00:00Z` for UTC"),
            ("2026-12-31T23:00:00 Asia/Jakarta", "has the name of a zone", "as `2026-12-31T23:00:00+07:00`"),
            ("2026-12-31T23:00Z", "is not written as RFC 3339", "write `2026-12-31T23:00:00Z`"),
            ("2026-12-31T23:00:00+7", "is not written as RFC 3339", "as `2026-12-31T23:00:00+07:00`"),
            ("2026-12-31", "has no time of day", "write `2026-12-31T00:00:00Z`"),
            ("2026-02-30T00:00:00Z", "is none that a calendar has", "write date, time and offset"),
            ("tomorrow", "is none that a calendar has", "write date, time and offset"),
            ("", "is none that a calendar has", "write date, time and offset"),
            (&"2".repeat(65), "is too long", "write date, time and offset"),
        ] {
            let error = parse_instant(text).expect_err(text);
            assert!(error.problem.starts_with(problem), "{text}: {error}");
            assert!(error.help().contains(help), "{text}: {}", error.help());
        }
    }
}
