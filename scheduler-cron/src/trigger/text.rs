//! A trigger from its text: what a store kept of a revision is decided by it long after the code has changed.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::{CronTrigger, EveryTrigger, Trigger, TriggerError};
use crate::clock_changes::{ClockChangePolicy, FoldPolicy, GapPolicy};
use crate::duration::parse_duration;
use crate::expr::CronExpr;
use crate::zone::parse_zone;

/// Reads what a trigger prints. A calendar's days are not in the text, so a trigger with one is refused.
///
/// ```
/// use scheduler_cron::Trigger;
///
/// let trigger: Trigger = "30 0 * * * Asia/Jakarta".parse()?;
/// assert_eq!(trigger.next_after("2025-11-02T12:00:00Z".parse()?), Some("2025-11-02T17:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl FromStr for Trigger {
    type Err = TriggerError;

    fn from_str(text: &str) -> Result<Trigger, TriggerError> {
        if text == "manual" {
            Ok(Trigger::Manual)
        } else if let Some(at) = text.strip_prefix("at ") {
            Ok(Trigger::At(instant(at).ok_or_else(|| unreadable(text))?))
        } else if let Some(jobs) = text.strip_prefix("after ") {
            Trigger::after(jobs.split(", "))
        } else if let Some(every) = text.strip_prefix("every ") {
            Ok(self::every(every, text)?.into())
        } else {
            Ok(cron(text)?.into())
        }
    }
}

fn unreadable(text: &str) -> TriggerError {
    TriggerError::Text(text.to_owned())
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

fn every(rest: &str, text: &str) -> Result<EveryTrigger, TriggerError> {
    let (period, anchor) = match rest.split_once(" from ") {
        None => (rest, None),
        Some((period, anchor)) => (period, Some(instant(anchor).ok_or_else(|| unreadable(text))?)),
    };
    let trigger = EveryTrigger::new(parse_duration(period).map_err(|_| unreadable(text))?)?;
    Ok(anchor.map_or(trigger, |anchor| trigger.with_anchor(anchor)))
}

/// Expressions joined by ` | `, the zone, and policies: read from the end, where each word says what it is.
fn cron(text: &str) -> Result<CronTrigger, TriggerError> {
    let mut rest = text;
    let mut clock_changes = ClockChangePolicy::default();
    let zone = loop {
        let (before, word) = rest.rsplit_once(' ').ok_or_else(|| unreadable(text))?;
        rest = before;
        match word {
            "gap=shift" => clock_changes.gap = Some(GapPolicy::Shift),
            "gap=skip" => clock_changes.gap = Some(GapPolicy::Skip),
            "fold=first" => clock_changes.fold = Some(FoldPolicy::First),
            "fold=last" => clock_changes.fold = Some(FoldPolicy::Last),
            "fold=both" => clock_changes.fold = Some(FoldPolicy::Both),
            zone => break parse_zone(zone).map_err(|_| unreadable(text))?,
        }
    };
    let exprs = rest.split(" | ").map(CronExpr::parse).collect::<Result<Vec<_>, _>>()?;
    Ok(CronTrigger::union(exprs, zone)?.with_clock_changes(clock_changes))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::Calendar;

    #[test]
    fn what_a_trigger_prints_is_read_as_the_same_trigger() {
        let zone = parse_zone("America/New_York").expect("a zone");
        let exprs = ["30 2 * * *", "*/7 22-2 L * 1-5"].map(|text| CronExpr::parse(text).expect("valid"));
        let policy = ClockChangePolicy { gap: Some(GapPolicy::Skip), fold: Some(FoldPolicy::Both) };
        let anchor = DateTime::from_timestamp_millis(1_234).expect("an instant");
        for trigger in [
            Trigger::cron("30 0 * * *", parse_zone("Asia/Jakarta").expect("a zone")).expect("valid"),
            Trigger::cron("5 0 0 1 1 * 2026-2030", zone).expect("valid"),
            CronTrigger::union(exprs, zone).expect("valid").with_clock_changes(policy).into(),
            Trigger::every(Duration::from_secs(90 * 60)).expect("valid"),
            Trigger::every(Duration::from_millis(10)).expect("valid"),
            EveryTrigger::new(Duration::from_secs(60)).expect("valid").with_anchor(anchor).into(),
            Trigger::at(anchor),
            Trigger::after(["extract", "load"]).expect("two"),
            Trigger::Manual,
        ] {
            assert_eq!(trigger.to_string().parse(), Ok(trigger.clone()), "{trigger}");
        }
    }

    #[test]
    fn a_text_that_does_not_say_all_of_a_trigger_is_refused() {
        let calendar = Calendar::parse("holidays", "*-08-17").expect("a calendar");
        let expr = CronExpr::parse("0 0 * * *").expect("valid");
        let trigger = CronTrigger::new(expr, chrono_tz::UTC).and_then(|cron| cron.except(Arc::new(calendar)));
        let text = trigger.expect("valid").to_string();
        let unreadable = |text: &str| matches!(text.parse::<Trigger>(), Err(TriggerError::Text(told)) if told == text);
        for text in [&text, "", "x", "0 0 * * * Nowhere/Land", "every 5", "every 5m from noon", "at noon"] {
            assert!(unreadable(text), "{text:?}: {:?}", text.parse::<Trigger>());
        }
        assert!(matches!("0 0 1 * &1 UTC".parse::<Trigger>(), Err(TriggerError::Cron(_))));
        assert!(matches!("0 0 31 2 * UTC".parse::<Trigger>(), Err(TriggerError::NeverFires(_))));
    }
}
