//! How things look: statuses, instants, durations, and texts that somebody else wrote.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use scheduler_core::{execution::Execution, status::Status};
use scheduler_cron::NamedZone;

use super::words::Words;
use crate::redact;

/// The most of a text that is shown, in characters.
const LONGEST: usize = 16_000;

/// The most of a secret, in characters.
const LONGEST_SECRET: usize = 4_000;

/// A status: icon, word and colour.
pub(super) fn status(status: Status, words: &Words) -> Markup {
    html! { span class={ "st " (class(status)) } { (icon(status)) " " (words.status_of(status)) } }
}

/// The class of a status, which has its colour.
pub(super) fn class(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "ok",
        Status::Failed | Status::TimedOut | Status::Abandoned => "bad",
        Status::Missed => "miss",
        Status::Running => "run",
        Status::Pending => "wait",
        _ => "skip",
    }
}

pub(super) fn icon(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "✓",
        Status::Failed => "✕",
        Status::TimedOut => "⧗",
        Status::Abandoned => "⚠",
        Status::Missed => "○",
        Status::Running => "●",
        Status::Pending => "…",
        Status::Cancelled => "■",
        _ => "–",
    }
}

/// Which attempt of how many a row is.
pub(super) fn attempt(row: &Execution, words: &Words) -> String {
    format!("{} {} / {}", words.attempt, row.attempt, row.max_attempts)
}

/// An instant in a zone, which it names.
pub(super) fn time(at: DateTime<Utc>, zone: NamedZone) -> Markup {
    let local = at.with_timezone(&zone);
    html! { time datetime=(local.to_rfc3339()) { (local.format("%Y-%m-%d %H:%M:%S %Z")) } }
}

/// The same, and how far it is from now.
pub(super) fn time_from(at: DateTime<Utc>, zone: NamedZone, now: DateTime<Utc>, words: &Words) -> Markup {
    html! { (time(at, zone)) small { (relative(at, now, words)) } }
}

/// How far an instant is from now: `in 5 min`, `5 min ago`.
pub(super) fn relative(at: DateTime<Utc>, now: DateTime<Utc>, words: &Words) -> String {
    let far = distance(at - now, words);
    if at > now { format!("{} {far}", words.in_time) } else { format!("{far} {}", words.ago) }
}

/// A distance in time, by its two largest units.
pub(super) fn distance(delta: TimeDelta, words: &Words) -> String {
    let Words { unit_day, unit_hour, unit_minute, unit_second, .. } = words;
    let seconds = delta.num_seconds().unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} {unit_second}"),
        (0, 0, _) => format!("{minutes} {unit_minute}"),
        (0, _, _) => format!("{hours} {unit_hour} {minutes} {unit_minute}"),
        _ => format!("{days} {unit_day} {hours} {unit_hour}"),
    }
}

/// Seconds, to three digits.
pub(super) fn seconds(seconds: f64, words: &Words) -> String {
    match seconds {
        s if s < 0.001 => "0 ms".to_owned(),
        s if s < 1.0 => format!("{:.0} ms", s * 1_000.0),
        s if s < 100.0 => format!("{s:.1} {}", words.unit_second),
        s => distance(TimeDelta::seconds(s as i64), words),
    }
}

/// The first line of a text that somebody else wrote, and not all of a long one.
pub(super) fn line(given: &str, most: usize, words: &Words) -> Markup {
    let line = given.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(most).collect();
    html! { (text(&shown, words)) @if shown.len() < given.len() { "…" } }
}

/// A text that somebody else wrote: without secrets, cut, and told so, and without what changes how other text reads. The markup escapes
/// it.
pub(super) fn text(text: &str, words: &Words) -> Markup {
    // A secret at the end of what is shown goes on beyond it.
    let read: String = text.chars().take(LONGEST + LONGEST_SECRET).collect();
    let shown: String = redact::text(&read).chars().take(LONGEST).map(visible).collect();
    let more = text.chars().count().saturating_sub(LONGEST);
    html! {
        bdi { (shown) }
        @if more > 0 { em { " … " (words.cut) " " (more) } }
    }
}

/// The character, or a sign in place of one that can't be seen: a control character, or one that turns text round.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use scheduler_cron::Language;

    use super::*;

    #[test]
    fn a_text_is_escaped_cut_and_told_and_turns_nothing_round() {
        let words = Words::of(Language::English);
        let shown = text("<script>\u{202e}x\u{1b}[31m\n</script>", words).into_string();
        assert_eq!(shown, "<bdi>&lt;script&gt;\u{fffd}x\u{fffd}[31m\n&lt;/script&gt;</bdi>");
        let long = text(&"ä".repeat(1_000_000), words).into_string();
        assert!(long.len() < 40_000 && long.contains("984000"), "{}", long.len());
    }

    #[test]
    fn distances_have_two_units() {
        let words = Words::of(Language::English);
        let cases = [(5, "5 s"), (65, "1 min"), (3_720, "1 h 2 min"), (90_000, "1 d 1 h"), (-5, "5 s")];
        for (seconds, expected) in cases {
            assert_eq!(distance(TimeDelta::seconds(seconds), words), expected);
        }
        let told = [0.0, 0.25, 2.04, 120.0].map(|given| seconds(given, words));
        assert_eq!(told, ["0 ms", "250 ms", "2.0 s", "2 min"]);
        assert_eq!(distance(TimeDelta::seconds(3_720), Words::of(Language::Indonesian)), "1 j 2 mnt");
    }
}
