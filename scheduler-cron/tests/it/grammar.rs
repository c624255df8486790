//! The whole grammar at every kind of clock change and at both ends of time, against the spelled-out reading of it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;
use scheduler_cron::{ClockChangePolicy, CronErrorKind, CronExpr, NamedZone, Zone, lint_weekdays, parse_zone};

use crate::clock_changes::{full, policy};
use crate::spelled_out::{Spelled, first_named, first_time, spelled};

/// Zones whose clocks do what few others do.
const ODD: [&str; 34] = [
    "Africa/Cairo",         // changed at midnight
    "Africa/Casablanca",    // Ramadan; winter time is the exception
    "Africa/El_Aaiun",      //
    "Africa/Monrovia",      // offsets with seconds, until 1972
    "America/Asuncion",     // changed at midnight
    "America/Caracas",      // moved by half an hour
    "America/Havana",       // changed at midnight, and back at one
    "America/Nuuk",         // changes on a Saturday evening
    "America/St_Johns",     // changed one minute after midnight, and once by two hours
    "America/Sao_Paulo",    // changed at midnight
    "America/Santiago",     //
    "America/Scoresbysund", //
    "Antarctica/Casey",     // moved by three hours, both ways
    "Antarctica/Troll",     // moves by two hours
    "Asia/Amman",           //
    "Asia/Beirut",          // changed at midnight
    "Asia/Damascus",        //
    "Asia/Gaza",            // another rule each year
    "Asia/Kathmandu",       // moved by a quarter of an hour
    "Asia/Pyongyang",       // moved by half an hour, both ways
    "Asia/Tehran",          // changed at midnight
    "Atlantic/Azores",      // changes at midnight, and back at one
    "Australia/Lord_Howe",  // moves by half an hour
    "Europe/Dublin",        //
    "Europe/London",        //
    "Europe/Volgograd",     //
    "America/New_York",     //
    "Pacific/Apia",         // 30 December 2011 does not exist
    "Pacific/Chatham",      // changes at a quarter to three
    "Pacific/Easter",       // changes on a Saturday evening
    "Pacific/Enderbury",    // the last day of 1994 does not exist
    "Pacific/Kiritimati",   //
    "Pacific/Kwajalein",    // 21 August 1993 does not exist
    "Pacific/Norfolk",      //
];

fn odd_or_any() -> impl Strategy<Value = NamedZone> {
    let odd = prop::sample::select(ODD.to_vec()).prop_map(|name| parse_zone(name).expect("a zone"));
    prop_oneof![3 => odd, 1 => prop::sample::select(TZ_VARIANTS.to_vec()).prop_map(NamedZone::from)]
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}

/// All changes of a zone's clock from 1970 to 2100.
fn changes(zone: NamedZone) -> Vec<DateTime<Utc>> {
    let spans = std::iter::successors(Some(zone.span_at(0)), |span| {
        (span.until < 4_102_444_800).then(|| zone.span_at(span.until))
    });
    spans.skip(1).map(|span| instant(span.from)).collect()
}

/// Forwards, backwards, and asked of each of some instants.
fn agrees(spelled: &Spelled, zone: NamedZone, policy: ClockChangePolicy, from: DateTime<Utc>, until: DateTime<Utc>) {
    let text = spelled.text();
    let expr = CronExpr::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
    let expected = spelled.occurrences(zone, policy, from, until);
    let just_before = TimeDelta::nanoseconds(1);
    let found: Vec<_> = expr.occurrences_between_with(from - just_before, until - just_before, zone, policy).collect();
    assert_eq!(found, expected, "{text:?} {zone} {policy:?} {from}");
    let before = |&at: &DateTime<Utc>| expr.prev_before_with(at, zone, policy).filter(|&at| at >= from);
    let mut backwards: Vec<_> = std::iter::successors(before(&until), before).collect();
    backwards.reverse();
    assert_eq!(backwards, expected, "backwards {text:?} {zone} {policy:?} {from}");
    let seconds = (until - from).num_seconds();
    for second in (0..seconds).step_by(997) {
        let at = from + TimeDelta::seconds(second);
        assert_eq!(expr.covers_with(at, zone, policy), expected.contains(&at), "{text:?} {zone} {policy:?} {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if full() { 20_000 } else { 150 }, max_global_rejects: 1 << 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_expression_at_any_clock_change_is_due_as_it_is_spelled_out(
        spelled in spelled(), zone in odd_or_any(), policy in policy(), change in any::<prop::sample::Index>(), before in 0..20_i64
    ) {
        let changes = changes(zone);
        prop_assume!(!spelled.is_ambiguous() && !changes.is_empty());
        let from = changes[change.index(changes.len())] - TimeDelta::hours(before);
        agrees(&spelled, zone, policy, from, from + TimeDelta::hours(24));
    }

    #[test]
    fn any_expression_at_the_ends_of_time_is_due_as_it_is_spelled_out(
        spelled in spelled(), zone in odd_or_any(), policy in policy(), at in prop::sample::select(vec![-57_600, 0, 7_258_032_000_i64, 7_258_118_400])
    ) {
        prop_assume!(!spelled.is_ambiguous());
        agrees(&spelled, zone, policy, instant(at), instant(at) + TimeDelta::hours(18));
    }

    #[test]
    fn a_step_after_a_star_beside_the_other_day_field_is_refused_however_it_is_written(spelled in spelled()) {
        let parsed = CronExpr::parse(&spelled.text()).map_err(|error| error.kind());
        if spelled.is_ambiguous() {
            prop_assert_eq!(parsed, Err(CronErrorKind::Ambiguous), "{:?}", spelled.text());
        } else {
            let expr = parsed.expect("valid");
            prop_assert_eq!(CronExpr::parse(&expr.to_string()), Ok(expr), "{:?} {}", spelled.text(), expr);
        }
    }

    #[test]
    fn a_weekday_by_name_is_the_one_by_number(spelled in spelled()) {
        let text = spelled.text();
        if let Some(lint) = lint_weekdays(&text) {
            let span = lint.span();
            let named = format!("{}{}{}", &text[..span.start], lint.suggestion(), &text[span.end..]);
            prop_assert_eq!(CronExpr::parse(&named), CronExpr::parse(&text), "{:?} {:?}", text, named);
            prop_assert_eq!(lint_weekdays(&named), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_next_day_of_any_expression_is_the_first_that_is_named(spelled in spelled(), day in 0..80_000_u32) {
        prop_assume!(!spelled.is_ambiguous());
        let from = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date") + TimeDelta::days(day.into());
        let last = NaiveDate::from_ymd_opt(2200, 1, 2).expect("a date");
        let expected = first_named(&spelled, from, last).map(|date| {
            let midnight = date.and_hms_opt(0, 0, 0).expect("a time").and_utc();
            midnight + TimeDelta::seconds(first_time(&spelled))
        });
        let expr = CronExpr::parse(&spelled.text()).expect("valid");
        let midnight = from.and_hms_opt(0, 0, 0).expect("a time").and_utc();
        prop_assert_eq!(expr.next_after(midnight - TimeDelta::nanoseconds(1), Utc), expected, "{:?}", spelled.text());
        if day == 0 || expected.is_some() {
            prop_assert_eq!(expr.never_fires(), expected.is_none());
        }
    }
}
