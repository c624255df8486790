//! Two public engines, asked where their semantics coincide with ours; `docs/cron.md` lists where they do not, and why.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use scheduler_cron::CronExpr;

use crate::clock_changes::{expression, seconds};

/// Zones whose clocks were not changed since 1970: elsewhere both engines differ from ours at clock changes.
const ZONES: [Tz; 3] = [Tz::UTC, Tz::Asia__Jakarta, Tz::Africa__Lagos];

fn ours(text: &str, after: DateTime<Utc>, zone: Tz) -> Vec<DateTime<Utc>> {
    CronExpr::parse(text).expect("valid").upcoming(after, zone).take(5).collect()
}

/// The day of week as the `cron` crate counts it; names would do, but only of single days.
fn counted_from_one(weekdays: &str) -> String {
    let days: Vec<String> = (0..7).filter(|day| names(weekdays, *day)).map(|day| (day + 1).to_string()).collect();
    days.join(",")
}

/// Whether a list of numbers, ranges and stepped ranges holds a weekday.
fn names(weekdays: &str, day: u32) -> bool {
    let number = |text: &str| text.parse::<u32>().expect("a number");
    weekdays.split(',').any(|item| {
        let (range, step) = item.split_once('/').map_or((item, 1), |(range, step)| (range, number(step)));
        let (first, last) =
            range.split_once('-').map_or_else(|| (number(range), number(range)), |(a, b)| (number(a), number(b)));
        (first..=last).step_by(step as usize).any(|value| value % 7 == day)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn croner_finds_the_same_where_clocks_stay(text in expression(), zone in 0..ZONES.len(), at in seconds()) {
        let (zone, after) = (ZONES[zone], DateTime::from_timestamp(at, 0).expect("an instant"));
        let ours = ours(&text, after, zone);
        let theirs: Vec<_> = match croner::Cron::from_str(&text) {
            Ok(cron) => cron.iter_after(after.with_timezone(&zone)).take(ours.len()).map(|at| at.to_utc()).collect(),
            Err(error) => return Err(TestCaseError::fail(format!("`{text}`: {error}"))),
        };
        prop_assert_eq!(ours, theirs, "`{}` {}", text, zone);
    }

    #[test]
    fn cron_finds_the_same_where_clocks_stay_and_one_day_field_is_free(text in expression(), zone in 0..ZONES.len(), at in seconds()) {
        let (zone, after) = (ZONES[zone], DateTime::from_timestamp(at, 0).expect("an instant"));
        let mut fields: Vec<String> = text.split(' ').map(str::to_owned).collect();
        if fields[2] != "*" && fields[4] != "*" {
            // It would want both to match.
            fields[2] = "*".to_owned();
        }
        let text = fields.join(" ");
        if fields[4] != "*" {
            fields[4] = counted_from_one(&fields[4]);
        }
        let cron = cron::Schedule::from_str(&format!("0 {}", fields.join(" "))).expect("valid there too");
        // Its years end with 2100, and it drops a leap day's search after some years.
        let ours: Vec<_> = ours(&text, after, zone).into_iter().take_while(|at| at.timestamp() < 4_102_444_800).collect();
        let theirs: Vec<_> = cron.after(&after.with_timezone(&zone)).take(ours.len()).map(|at| at.to_utc()).collect();
        prop_assert_eq!(ours, theirs, "`{}` {}", text, zone);
    }
}

#[test]
fn croner_finds_the_same_special_days() {
    let after = "2026-01-01T00:00:00Z".parse().expect("an instant");
    for text in [
        "0 0 L * *",
        "0 0 15W * *",
        "0 0 1W * *",
        "0 0 * * 5L",
        "0 0 * * 1#1",
        "0 0 * * 5#5",
        "0 0 29 2 *",
        "0 0 LW * *",
    ] {
        let cron = croner::Cron::from_str(text).expect(text);
        let theirs: Vec<DateTime<Utc>> = cron.iter_after(after).take(40).collect();
        let ours: Vec<_> = CronExpr::parse(text).expect("valid").upcoming(after, Tz::UTC).take(theirs.len()).collect();
        assert_eq!(ours, theirs, "{text}");
    }
}
