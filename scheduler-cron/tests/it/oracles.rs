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

#[cfg(feature = "quartz")]
mod quartz {
    use scheduler_cron::Dialect;

    use super::*;

    fn field(min: u32, max: u32, names: &'static [&'static str]) -> impl Strategy<Value = String> {
        let value = prop_oneof![
            3 => (min..=max).prop_map(|value| value.to_string()),
            u32::from(!names.is_empty()) => prop::sample::select(if names.is_empty() { &["*"] } else { names }).prop_map(str::to_owned),
        ];
        let item = prop_oneof![
            Just("*".to_owned()),
            (1..=max).prop_map(|step| format!("*/{step}")),
            value,
            (min..=max, min..=max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            (min..=max, 1..=max).prop_map(|(first, step)| format!("{first}/{step}")),
            (min..=max, min..=max, 1..=max).prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
        ];
        prop_oneof![2 => Just("*".to_owned()), 3 => prop::collection::vec(item, 1..4).prop_map(|items| items.join(","))]
    }

    fn expression() -> impl Strategy<Value = String> {
        const MONTHS: &[&str] = &["jan", "Feb", "DEC", "march", "oct-dec"];
        const DAYS: &[&str] = &["sun", "Mon", "FRIDAY", "tue-thu", "Sat"];
        let day = prop_oneof![1 => Just("?".to_owned()), 4 => field(1, 31, &[])];
        let weekday = prop_oneof![1 => Just("?".to_owned()), 4 => field(1, 7, DAYS)];
        let year = prop_oneof![4 => Just(String::new()), 1 => (2020..2090_u32).prop_map(|year| format!(" {year}-{}/3", year + 9))];
        (field(0, 59, &[]), field(0, 59, &[]), field(0, 23, &[]), day, field(1, 12, MONTHS), weekday, year).prop_map(
            |(second, minute, hour, day, month, weekday, year)| {
                format!("{second} {minute} {hour} {day} {month} {weekday}{year}")
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_dialect_means_what_the_cron_crate_does(text in expression(), at in seconds()) {
            let after = DateTime::from_timestamp(at, 0).expect("an instant");
            let ours = CronExpr::parse_dialect(&text, Dialect::Quartz);
            let Ok(theirs) = cron::Schedule::from_str(&text) else {
                prop_assert!(ours.is_err(), "`{}` is read by the dialect alone", text);
                return Ok(());
            };
            let Ok(ours) = ours else { return Err(TestCaseError::fail(format!("`{text}` is refused: {:?}", ours.err()))) };
            // Its years end with 2100.
            let ours: Vec<_> = ours.upcoming(after, Tz::UTC).take(4).take_while(|at| at.timestamp() < 4_102_444_800).collect();
            let theirs: Vec<_> = theirs.after(&after).take(ours.len()).collect();
            prop_assert_eq!(ours, theirs, "`{}`", text);
        }
    }
}
