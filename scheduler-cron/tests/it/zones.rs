//! The zone data, against two others that have nothing of ours: chrono-tz's, which is older, and Python's `zoneinfo`.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use scheduler_cron::{CronExpr, NamedZone, Zone, parse_zone, zone_data_version};
use serde_json::Value;

use crate::clock_changes::{changes_by_span, full};
use crate::naive::changes;

/// What Python's `zoneinfo` finds with release 2026f for the zones whose rules have changed since the data of chrono-tz; made by
/// `tests/zones/expected.py`.
const CHANGED: &str = include_str!("../corpus/changed_zones.jsonl");

/// Zones whose rules have changed since the release that chrono-tz carries, 2025b.
fn changed_since_chrono_tz() -> Vec<String> {
    CHANGED.lines().map(|line| case(line)["tz"].as_str().expect("a zone").to_owned()).collect()
}

fn case(line: &str) -> Value {
    serde_json::from_str(line).expect("a line of JSON")
}

/// Compares ten years of "0 9 * * *" with a line that `expected.py` has printed; answers how many occurrences were compared.
fn agrees_with_python(case: &Value) -> usize {
    let name = case["tz"].as_str().expect("a zone");
    let zone = parse_zone(name).expect(name);
    let expr = CronExpr::parse("0 9 * * *").expect("valid");
    let mut expected = Vec::new();
    for run in case["runs"].as_array().expect("runs") {
        let first: DateTime<Utc> = run[0].as_str().expect("an instant").parse().expect("an instant");
        let count = run[1].as_i64().expect("a count");
        expected.extend((0..count).map(|day| first + TimeDelta::days(day)));
    }
    let before = expected[0] - TimeDelta::hours(1);
    let ours: Vec<DateTime<Utc>> = expr.upcoming(before, zone).take(expected.len()).collect();
    if let Some((ours, theirs)) = ours.iter().zip(&expected).find(|(ours, theirs)| ours != theirs) {
        panic!("{name}: due at {ours}, by Python at {theirs}");
    }
    assert_eq!(ours.len(), expected.len(), "{name}");
    ours.len()
}

#[test]
fn nine_o_clock_is_nine_o_clock_in_each_zone_whose_rules_have_changed() {
    let compared: usize = CHANGED.lines().map(|line| agrees_with_python(&case(line))).sum();
    assert_eq!(compared, CHANGED.lines().count() * 3652);
    for (name, at) in [
        ("America/Vancouver", "2026-12-01T16:00:00Z"),
        ("America/Edmonton", "2026-12-01T15:00:00Z"),
        ("America/Winnipeg", "2026-12-01T14:00:00Z"),
        ("Africa/Casablanca", "2026-12-01T09:00:00Z"),
    ] {
        assert!(changed_since_chrono_tz().iter().any(|zone| zone == name), "{name}");
        let (zone, at) = (parse_zone(name).expect("a zone"), at.parse().expect("an instant"));
        assert!(CronExpr::parse("0 9 * * *").expect("valid").covers(at, zone), "{name}");
    }
}

/// All zones of the newest release, which `cargo xtask matrix zones` fetches.
#[test]
#[ignore = "reads what `cargo xtask matrix zones` has fetched"]
fn nine_o_clock_is_nine_o_clock_in_every_zone_of_the_newest_release() {
    let path = std::env::var_os("ZONES_EXPECTED").expect("`cargo xtask matrix zones` sets ZONES_EXPECTED");
    let text = std::fs::read_to_string(path).expect("what expected.py has printed");
    assert!(text.lines().count() >= TZ_VARIANTS.len(), "{} zones", text.lines().count());
    let compared: usize = text.lines().map(|line| agrees_with_python(&case(line))).sum();
    assert!(compared > TZ_VARIANTS.len() * 3_650, "{compared}");
}

/// A newer release of chrono-tz may know of more changes; this list is made anew then, or goes.
#[test]
fn clocks_change_as_chrono_tz_has_it_where_no_rule_has_changed_since() {
    let [from, until] = ["1969-12-30T00:00:00Z", "2099-06-01T00:00:00Z"].map(|at| at.parse().expect("an instant"));
    let changed = changed_since_chrono_tz();
    let (mut compared, mut different) = (0, Vec::new());
    for (index, &theirs) in TZ_VARIANTS.iter().enumerate() {
        let ours = NamedZone::from(theirs);
        let chosen =
            full() || index % 23 == 0 || ["Africa/Cairo", "America/Sao_Paulo", "America/Recife"].contains(&ours.name());
        if !chosen || changed.iter().any(|name| name == ours.name()) {
            continue;
        }
        compared += 1;
        if changes_by_span(ours, from, until) != changes(theirs, from, until) {
            different.push(ours.name());
        }
    }
    assert!(compared >= 25, "{compared} zones");
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn both_kinds_of_zones_follow_the_newer_data() {
    let at = "2026-12-01T16:00:00Z".parse::<DateTime<Utc>>().expect("an instant").timestamp();
    assert_eq!(chrono_tz::America::Vancouver.span_at(at).offset, -7 * 3600);
    assert_eq!(NamedZone::from(chrono_tz::America::Vancouver).span_at(at).offset, -7 * 3600);
    assert!(zone_data_version() >= "2026f", "{}", zone_data_version());
}
