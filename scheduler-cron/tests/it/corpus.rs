//! Every case of the corpus: facts collected from public test suites, each confirmed by another engine.

use chrono::{DateTime, Utc};
use scheduler_cron::{CronExpr, parse_zone};
use serde_json::Value;

const CASES: &str = include_str!("../corpus/open.jsonl");

#[test]
fn every_case_of_the_corpus_is_answered_as_it_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).expect("a line of JSON");
        count += 1;
        let text = case["expr"].as_str().expect("an expression");
        let parsed = CronExpr::parse(text);
        let right = match (&case["expect"], parsed) {
            (Value::Array(expected), Ok(expr)) => {
                let found = upcoming(&case, &expr, 5);
                found.iter().eq(expected) && expr.never_fires() == expected.is_empty()
            }
            (Value::Null, Err(_)) => true,
            _ => false,
        };
        if !right {
            wrong.push(format!("{} `{text}`", case["id"]));
        }
    }
    assert_eq!(count, 8581);
    assert!(wrong.is_empty(), "{} cases of {count}: {:?}", wrong.len(), &wrong[..wrong.len().min(10)]);
}

#[test]
fn every_answer_of_the_corpus_is_found_backwards_too() {
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).expect("a line of JSON");
        let Some(expected) = case["expect"].as_array() else { continue };
        let expr = CronExpr::parse(case["expr"].as_str().expect("an expression")).expect("valid");
        let zone = parse_zone(case["tz"].as_str().expect("a zone")).expect("a zone");
        for pair in expected.windows(2) {
            let [first, second] = [&pair[0], &pair[1]].map(instant);
            assert_eq!(expr.prev_before(second, zone), Some(first), "{case}");
            assert!(expr.covers(second, zone), "{case}");
        }
    }
}

/// The first answers to a case, printed as the corpus prints them.
pub(crate) fn upcoming(case: &Value, expr: &CronExpr, count: usize) -> Vec<Value> {
    let zone = parse_zone(case["tz"].as_str().expect("a zone")).expect("a zone");
    let next = expr.upcoming(instant(&case["after"]), zone).take(count);
    next.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()).collect()
}

fn instant(text: &Value) -> DateTime<Utc> {
    text.as_str().expect("an instant").parse().expect("an instant")
}
