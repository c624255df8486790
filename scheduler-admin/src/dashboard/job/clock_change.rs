//! What a zone's clock changes do to occurrences, in words.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use scheduler_cron::{Hazard, HazardEffect, Trigger};

use crate::dashboard::words::Words;

/// Notes on the clock changes that occurrences meet, each with the place of the one that it is of.
pub(super) fn notes(
    trigger: &Trigger,
    now: DateTime<Utc>,
    next: &[DateTime<Utc>],
    words: &Words,
) -> Vec<(usize, String)> {
    let (Trigger::Cron(cron), Some(last)) = (trigger, next.last()) else { return Vec::new() };
    // Of a clock that goes back, the times that it shows twice begin before it does.
    let until = *last + TimeDelta::hours(3);
    let of = |hazard: &Hazard| {
        let back = (hazard.wall_before - hazard.wall_after).max(TimeDelta::zero());
        next.iter().position(|at| *at >= hazard.changes_at - back)
    };
    let hazards = cron.hazards(now, until).into_iter();
    hazards.filter_map(|hazard| Some((of(&hazard)?, note(&hazard, words)))).collect()
}

/// `2026-03-08: clocks go forward from 02:00 to 03:00: 02:30 is skipped, runs at 03:00`
fn note(hazard: &Hazard, words: &Words) -> String {
    let time = |at: NaiveDateTime| at.format("%H:%M").to_string();
    let (before, after) = (time(hazard.wall_before), time(hazard.wall_after));
    let goes = if hazard.wall_after > hazard.wall_before { words.clocks_forward } else { words.clocks_back };
    let times = match hazard.times {
        0 | 1 => time(hazard.first),
        more => words.and_more.replace("{first}", &time(hazard.first)).replace("{more}", &(more - 1).to_string()),
    };
    let effect = match hazard.effect {
        HazardEffect::Shifted => words.change_shifted,
        HazardEffect::Skipped => words.change_skipped,
        HazardEffect::RunsFirst => words.change_first,
        HazardEffect::RunsLast => words.change_last,
        HazardEffect::RunsTwice => words.change_twice,
        _ => words.change_none,
    };
    let told = format!("{}: {goes}: {effect}", hazard.wall_before.date());
    told.replace("{before}", &before).replace("{after}", &after).replace("{times}", &times)
}

#[cfg(test)]
mod tests {
    use scheduler_cron::{Language, parse_zone};

    use super::*;

    fn told(expr: &str, now: &str, language: Language) -> Vec<(usize, String)> {
        let trigger = Trigger::cron(expr, parse_zone("America/New_York").expect("a zone")).expect("a trigger");
        let now = now.parse().expect("an instant");
        let next: Vec<_> = trigger.upcoming(now).take(10).collect();
        notes(&trigger, now, &next, Words::of(language))
    }

    #[test]
    fn what_the_clocks_do_stands_at_the_occurrence_that_they_do_it_to() {
        let (spring, fall) = ("2026-03-06T12:00:00Z", "2026-10-30T12:00:00Z");
        for (expr, now, place, expected) in [
            (
                "30 2 * * *",
                spring,
                1,
                "2026-03-08: clocks go forward from 02:00 to 03:00: 02:30 is skipped, runs at 03:00",
            ),
            (
                "30 1 * * *",
                fall,
                1,
                "2026-11-01: clocks go back from 02:00 to 01:00: 01:30 comes twice, runs the first time",
            ),
        ] {
            assert_eq!(told(expr, now, Language::English), [(place, expected.to_owned())]);
        }
        let twice = told("*/30 1 * * *", fall, Language::English);
        assert_eq!(twice.len(), 1);
        assert!(twice[0].1.ends_with("01:00 and 1 more comes twice, runs both times"), "{twice:?}");
        let shifted = told("30 2 * * *", spring, Language::Indonesian);
        assert_eq!(
            shifted[0].1,
            "2026-03-08: jam dimajukan dari 02:00 ke 03:00: 02:30 terlompati, dijalankan pukul 03:00"
        );
    }

    #[test]
    fn a_clock_change_that_no_occurrence_meets_is_not_told() {
        for now in ["2026-03-06T12:00:00Z", "2026-06-06T12:00:00Z"] {
            assert_eq!(told("30 12 * * *", now, Language::English), []);
        }
        assert_eq!(notes(&Trigger::Manual, DateTime::UNIX_EPOCH, &[], Words::of(Language::English)), []);
    }
}
