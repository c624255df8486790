//! The clock changes that an expression meets, and what becomes of its runs there.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::clock_changes::{ClockChangePolicy, FoldPolicy, GapPolicy};
use crate::expr::CronExpr;
use crate::occurrences::LONGEST_SHIFT;
use crate::wall;
use crate::zone::Zone;

/// A clock change that falls on times the expression names.
///
/// ```
/// use scheduler_cron::{CronExpr, parse_zone};
///
/// let expr = CronExpr::parse("30 2 * * *")?;
/// let zone = parse_zone("America/New_York")?;
/// let (from, to) = ("2026-01-01T00:00:00Z".parse()?, "2027-01-01T00:00:00Z".parse()?);
/// let hazards = expr.hazards(zone, from, to);
/// assert_eq!(hazards.len(), 1);
/// assert_eq!(
///     hazards[0].to_string(),
///     "2026-03-08: the clock goes from 02:00 to 03:00, and 02:30 runs at 03:00"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hazard {
    /// The instant of the change.
    pub changes_at: DateTime<Utc>,
    /// What the clock shows when it changes.
    pub wall_before: NaiveDateTime,
    /// What it shows from then on.
    pub wall_after: NaiveDateTime,
    /// The first named time that is skipped or shown twice.
    pub first: NaiveDateTime,
    /// How many named times are.
    pub times: u32,
    /// What becomes of them.
    pub effect: HazardEffect,
}

/// What becomes of the runs at a clock change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HazardEffect {
    /// The skipped times are one run, at the first instant after the gap.
    Shifted,
    /// The skipped times do not run.
    Skipped,
    /// The repeated times run in the first pass only.
    RunsFirst,
    /// The repeated times run in the last pass only.
    RunsLast,
    /// The repeated times run in both passes.
    RunsTwice,
    /// An interval that names every hour goes on through the change: the clock skips or repeats times, and the runs keep their distance.
    Uninterrupted,
}

const EVERY_HOUR: u32 = (1 << 24) - 1;

impl CronExpr {
    /// The clock changes from one instant, included, to another, not included, that skip or repeat a time which the expression names.
    pub fn hazards(&self, zone: impl Zone, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Hazard> {
        self.hazards_with(zone, from, to, ClockChangePolicy::default())
    }

    /// [`hazards`](CronExpr::hazards) under another policy for clock changes.
    pub fn hazards_with(
        &self,
        zone: impl Zone,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        policy: ClockChangePolicy,
    ) -> Vec<Hazard> {
        let mut hazards = Vec::new();
        let mut span = zone.span_at(from.timestamp() - 1);
        while span.until < to.timestamp() {
            let next = zone.span_at(span.until);
            let (before, after) = (span.until + i64::from(span.offset), span.until + i64::from(next.offset));
            hazards.extend(self.hazard(span.until, before, after, policy));
            span = next;
        }
        hazards
    }

    fn hazard(&self, changes_at: i64, before: i64, after: i64, policy: ClockChangePolicy) -> Option<Hazard> {
        let affected = before.min(after)..before.max(after);
        let named = |from| wall::next(self, from).filter(|time| affected.contains(time));
        let first = named(affected.start)?;
        let times = std::iter::successors(Some(first), |&last| named(last + 1)).count();
        let policy = policy.resolve(self.is_interval());
        let whole_hours = (after - before) % 3600 == 0 && (after - before).abs() <= LONGEST_SHIFT;
        let uninterrupted = self.is_interval() && self.hours == EVERY_HOUR && whole_hours;
        let effect = match (before < after, policy.gap, policy.fold) {
            (true, GapPolicy::Skip, _) | (false, _, FoldPolicy::Both) if uninterrupted => HazardEffect::Uninterrupted,
            (true, GapPolicy::Shift, _) if after - before <= LONGEST_SHIFT => HazardEffect::Shifted,
            (true, ..) => HazardEffect::Skipped,
            (false, _, FoldPolicy::First) => HazardEffect::RunsFirst,
            (false, _, FoldPolicy::Last) => HazardEffect::RunsLast,
            (false, _, FoldPolicy::Both) => HazardEffect::RunsTwice,
        };
        Some(Hazard {
            changes_at: DateTime::from_timestamp(changes_at, 0)?,
            wall_before: naive(before)?,
            wall_after: naive(after)?,
            first: naive(first)?,
            times: times as u32,
            effect,
        })
    }
}

fn naive(wall: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(wall, 0).map(|at| at.naive_utc())
}

impl Hazard {
    /// What happens, without the date: equal for changes of one kind, as those of each spring are.
    ///
    /// ```
    /// use scheduler_cron::{CronExpr, parse_zone};
    ///
    /// let (expr, zone) = (CronExpr::parse("30 2 * * *")?, parse_zone("America/New_York")?);
    /// let hazards = expr.hazards(zone, "2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
    /// assert_eq!(hazards[0].undated(), "the clock goes from 02:00 to 03:00, and 02:30 runs at 03:00");
    /// assert_eq!(hazards[0].undated(), hazards[1].undated());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn undated(&self) -> String {
        let Hazard { wall_before, wall_after, .. } = self;
        let day = match (wall_after.date() - wall_before.date()).num_days() {
            0 => "",
            1 => " of the next day",
            -1 => " of the day before",
            _ => " of another day",
        };
        let (before, after) = (wall_before.format("%H:%M"), wall_after.format("%H:%M"));
        format!("the clock goes from {before} to {after}{day}, and {}", Runs(self))
    }

    /// When the first of the times runs, or would, on the wall clock.
    pub(crate) fn first_run(&self) -> NaiveDateTime {
        if self.effect == HazardEffect::Shifted { self.wall_after } else { self.first }
    }
}

/// `2026-03-08: the clock goes from 02:00 to 03:00, and 02:30 runs at 03:00`.
impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hazard { wall_before, wall_after, .. } = self;
        // A change at midnight, or over a day, needs the second date too.
        let other_day = wall_before.date() != wall_after.date();
        let after = wall_after.format(if other_day { "%Y-%m-%d %H:%M" } else { "%H:%M" });
        write!(f, "{}: the clock goes from {} to {after}, and ", wall_before.date(), wall_before.format("%H:%M"))?;
        Runs(self).fmt(f)
    }
}

/// What becomes of the runs, in words.
struct Runs<'a>(&'a Hazard);

impl fmt::Display for Runs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hazard { wall_after, first, times, effect, .. } = self.0;
        let (first, plural) = (first.format("%H:%M"), *times > 1);
        if *effect == HazardEffect::Uninterrupted {
            return f.write_str("the interval goes on");
        }
        if plural {
            write!(f, "{times} times from {first} on ")?;
        } else {
            write!(f, "{first} ")?;
        }
        match (effect, plural) {
            (HazardEffect::Shifted, false) => write!(f, "runs at {}", wall_after.format("%H:%M")),
            (HazardEffect::Shifted, true) => write!(f, "are one run at {}", wall_after.format("%H:%M")),
            (HazardEffect::Skipped, false) => f.write_str("does not run"),
            (HazardEffect::Skipped, true) => f.write_str("do not run"),
            (HazardEffect::RunsFirst, false) => f.write_str("runs once, in the first pass"),
            (HazardEffect::RunsFirst, true) => f.write_str("run once each, in the first pass"),
            (HazardEffect::RunsLast, false) => f.write_str("runs once, in the last pass"),
            (HazardEffect::RunsLast, true) => f.write_str("run once each, in the last pass"),
            (HazardEffect::RunsTwice, false) => f.write_str("runs twice"),
            (HazardEffect::RunsTwice, true) => f.write_str("run twice each"),
            (HazardEffect::Uninterrupted, _) => unreachable!("told above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::parse_zone;

    fn told(expr: &str, zone: &str, year: &str) -> Vec<String> {
        let expr = CronExpr::parse(expr).expect("valid");
        let at = |text: &str| text.parse().expect("an instant");
        let (from, to) = (at(&format!("{year}-01-01T00:00:00Z")), at(&format!("{year}-12-31T23:59:59Z")));
        let hazards = expr.hazards(parse_zone(zone).expect("a zone"), from, to);
        hazards.iter().map(Hazard::to_string).collect()
    }

    #[test]
    fn every_change_on_a_named_time_is_told() {
        assert_eq!(
            told("*/20 1-2 * * *", "America/New_York", "2026"),
            [
                "2026-03-08: the clock goes from 02:00 to 03:00, and 3 times from 02:00 on do not run",
                "2026-11-01: the clock goes from 02:00 to 01:00, and 3 times from 01:00 on run twice each",
            ]
        );
        assert_eq!(
            told("30 1,2 * * *", "America/New_York", "2026")[1],
            "2026-11-01: the clock goes from 02:00 to 01:00, and 01:30 runs once, in the first pass"
        );
        assert_eq!(
            told("0 9 * * *", "Pacific/Apia", "2011").last().map(String::as_str),
            Some("2011-12-30: the clock goes from 00:00 to 2011-12-31 00:00, and 09:00 does not run")
        );
        assert_eq!(
            told("*/15 * * * *", "America/New_York", "2026"),
            [
                "2026-03-08: the clock goes from 02:00 to 03:00, and the interval goes on",
                "2026-11-01: the clock goes from 02:00 to 01:00, and the interval goes on",
            ]
        );
        assert_eq!(
            told("*/15 * * * *", "Australia/Lord_Howe", "2026"),
            [
                "2026-04-05: the clock goes from 02:00 to 01:30, and 2 times from 01:30 on run twice each",
                "2026-10-04: the clock goes from 02:00 to 02:30, and 2 times from 02:00 on do not run",
            ]
        );
        assert_eq!(
            told("30 23 * * *", "Asia/Beirut", "2026"),
            ["2026-10-25: the clock goes from 00:00 to 2026-10-24 23:00, and 23:30 runs once, in the first pass"]
        );
        assert!(told("30 0 * * *", "Asia/Jakarta", "2026").is_empty());
        assert!(told("0 12 * * *", "America/New_York", "2026").is_empty());
    }
}
