//! Every clock change of every zone, against an engine that looks at each minute.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;
use scheduler_cron::{ClockChangePolicy, CronExpr, FoldPolicy, GapPolicy, NamedZone, Zone, parse_zone};

use crate::naive::Sets;

/// Fixed and interval jobs around the hours at which clocks change, and some that meet none.
const EXPRESSIONS: [&str; 8] = [
    "*/7 * * * *",
    "30 0-3 * * *",
    "0,59 0,1,2,3,23 * * *",
    "*/20 1-2 * * *",
    "15 */2 * * *",
    "5-50/9 0-4,22-23 * * 0,6",
    "0 0 1,15,28-31 * *",
    "30 2 * 3,4,10,11 0",
];

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// Whether a run beyond the default is asked for: `CRON_FULL_SCAN=1` compares all zones and all years.
pub(crate) fn full() -> bool {
    std::env::var_os("CRON_FULL_SCAN").is_some()
}

fn agrees(text: &str, zone: NamedZone, from: DateTime<Utc>, until: DateTime<Utc>) {
    let expr = CronExpr::parse(text).expect("valid");
    let naive = Sets::of(text).occurrences(zone, from, until);
    let just_before = TimeDelta::nanoseconds(1);
    let ours: Vec<_> = expr.occurrences_between(from - just_before, until - just_before, zone).collect();
    assert!(ours.iter().eq(naive.iter()), "`{text}` {zone} {from}: {ours:?} for {naive:?}");
    let mut backwards = Vec::new();
    let mut at = until;
    while let Some(before) = expr.prev_before(at, zone).filter(|&before| before >= from) {
        backwards.push(before);
        at = before;
    }
    backwards.reverse();
    assert_eq!(ours, backwards, "`{text}` {zone} {from}");
}

/// Every change of every zone from 1970 to 2100 is met by at least one expression; a full run meets each with all.
#[test]
fn every_clock_change_is_walked_as_the_minutes_are() {
    let (from, until) = (utc("1970-01-05T00:00:00Z"), utc("2100-01-01T00:00:00Z"));
    let mut seen = BTreeSet::new();
    let mut count = 0_usize;
    for zone in NamedZone::all() {
        for at in changes_by_span(zone, from, until) {
            // Zones that share a rule share their changes.
            let (before, after) = (zone.span_at(at.timestamp() - 1).offset, zone.span_at(at.timestamp()).offset);
            if !seen.insert((at, before, after)) {
                continue;
            }
            count += 1;
            let expressions =
                EXPRESSIONS.iter().enumerate().filter(|(index, _)| full() || (count + index).is_multiple_of(8));
            for (_, text) in expressions {
                // What a change does is done within hours.
                agrees(text, zone, at - TimeDelta::hours(4), at + TimeDelta::hours(if full() { 30 } else { 8 }));
            }
        }
    }
    assert!(count > 5_000, "{count} changes");
}

#[test]
fn spans_follow_on_each_other_in_every_zone() {
    for zone in NamedZone::all() {
        let mut span = zone.span_at(i64::MIN);
        assert_eq!(span.from, i64::MIN);
        while span.until != i64::MAX {
            let next = zone.span_at(span.until);
            assert_eq!(next.from, span.until, "{zone}");
            assert_ne!(next.offset, span.offset, "{zone}");
            span = next;
        }
    }
}

pub(crate) fn changes_by_span(zone: NamedZone, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let mut changes = Vec::new();
    let mut span = zone.span_at(from.timestamp());
    while span.until < until.timestamp() {
        changes.push(DateTime::from_timestamp(span.until, 0).expect("an instant"));
        span = zone.span_at(span.until);
    }
    changes
}

/// No occurrence is lost or doubled by asking for one after the other: a walk in hops equals the walk from each instant between.
#[test]
fn an_answer_does_not_depend_on_where_the_question_stands() {
    for (name, text) in
        [("America/New_York", "30 1,2 * * *"), ("Australia/Lord_Howe", "*/20 1-2 * * *"), ("Africa/Cairo", "0 0 * * 5")]
    {
        let zone = parse_zone(name).expect("a zone");
        let expr = CronExpr::parse(text).expect("valid");
        let from = utc("2026-03-01T00:00:00Z");
        let all: Vec<_> = expr.occurrences_between(from, utc("2026-12-01T00:00:00Z"), zone).collect();
        for pair in all.windows(2) {
            let between = pair[0] + (pair[1] - pair[0]) / 2;
            assert_eq!(expr.next_after(between, zone), Some(pair[1]));
            assert_eq!(expr.prev_before(between, zone), Some(pair[0]));
            assert!(!expr.covers(between, zone));
        }
    }
}

fn number_list(min: u32, max: u32) -> impl Strategy<Value = String> {
    let item = prop_oneof![
        (min..=max).prop_map(|value| value.to_string()),
        (min..=max, min..=max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        (min..=max, min..=max, 1..=(max - min)).prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ];
    proptest::collection::vec(item, 1..4).prop_map(|items| items.join(","))
}

fn field(min: u32, max: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("*".to_owned()),
        1 => (2..=(max - min)).prop_map(|step| format!("*/{step}")),
        4 => number_list(min, max),
    ]
}

/// Valid five-field expressions; a step after `*` stands in no day field.
pub(crate) fn expression() -> impl Strategy<Value = String> {
    let day = |min, max| prop_oneof![Just("*".to_owned()), number_list(min, max)];
    let month = prop_oneof![3 => Just("*".to_owned()), 1 => field(1, 12)];
    (field(0, 59), field(0, 23), day(1, 31), month, day(0, 7))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

fn zone() -> impl Strategy<Value = NamedZone> {
    (0..TZ_VARIANTS.len()).prop_map(|index| TZ_VARIANTS[index].into())
}

pub(crate) fn policy() -> impl Strategy<Value = ClockChangePolicy> {
    use proptest::option::of;
    let gap = of(prop_oneof![Just(GapPolicy::Shift), Just(GapPolicy::Skip)]);
    let fold = of(prop_oneof![Just(FoldPolicy::First), Just(FoldPolicy::Last), Just(FoldPolicy::Both)]);
    (gap, fold).prop_map(|(gap, fold)| ClockChangePolicy { gap, fold })
}

/// Seconds from 1970 to 2100.
pub(crate) fn seconds() -> impl Strategy<Value = i64> {
    1_000_000..4_102_444_800_i64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if full() { 20_000 } else { 120 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_expression_agrees_with_the_minutes_of_a_clock_change(text in expression(), zone in zone(), change in any::<prop::sample::Index>()) {
        let all = changes_by_span(zone, utc("1970-01-05T00:00:00Z"), utc("2100-01-01T00:00:00Z"));
        if !all.is_empty() {
            let at = all[change.index(all.len())];
            agrees(&text, zone, at - TimeDelta::hours(3), at + TimeDelta::hours(26));
        }
    }

    #[test]
    fn any_expression_agrees_with_the_minutes_of_any_day(text in expression(), zone in zone(), at in seconds()) {
        let at = DateTime::from_timestamp(at, 0).expect("an instant");
        agrees(&text, zone, at, at + TimeDelta::hours(20));
    }

    #[test]
    fn the_next_is_later_and_its_predecessor_is_where_it_came_from(text in expression(), zone in zone(), policy in policy(), at in seconds(), nanos in 0..1_000_000_000_u32) {
        let expr = CronExpr::parse(&text).expect("valid");
        let at = DateTime::from_timestamp(at, nanos).expect("an instant");
        let Some(next) = expr.next_after_with(at, zone, policy) else {
            return Ok(());
        };
        prop_assert!(next > at);
        prop_assert!(expr.covers_with(next, zone, policy));
        if let Some(later) = expr.next_after_with(next, zone, policy) {
            prop_assert!(later > next);
            prop_assert_eq!(expr.prev_before_with(later, zone, policy), Some(next));
        }
        if let Some(earlier) = expr.prev_before_with(next, zone, policy) {
            prop_assert!(earlier <= at);
            prop_assert_eq!(expr.next_after_with(earlier, zone, policy), Some(next));
        }
    }
}
