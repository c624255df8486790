//! What an expression costs to hold and to ask.

use chrono_tz::Tz;
use scheduler_cron::{CronExpr, Trigger, parse_zone};

#[test]
fn an_expression_is_ninety_six_bytes_and_owns_no_memory() {
    assert!(size_of::<CronExpr>() <= 96, "{}", size_of::<CronExpr>());
    assert!(!std::mem::needs_drop::<CronExpr>());
    let parsed = allocation_counter::measure(|| {
        for text in ["* * * * *", "0 9-17/2 * * MON-FRI", "*/10 0 0 LW,15W * 5L,1#2 2030-2040", "@yearly"] {
            assert!(CronExpr::parse(text).is_ok());
        }
    });
    assert_eq!(parsed.count_total, 0);
}

#[test]
fn asking_for_occurrences_allocates_nothing() {
    let expr = CronExpr::parse("30 0 * * *").expect("valid");
    let zone = parse_zone("America/New_York").expect("a zone");
    let from = "2026-01-01T00:00:00Z".parse().expect("an instant");
    // The first question finds the zone's clock changes, once for all.
    let _ = expr.next_after(from, zone);
    let asked = allocation_counter::measure(|| {
        let last = expr.upcoming(from, zone).take(1000).last().expect("endless");
        assert_eq!(expr.prev_before(last, zone).map(|at| expr.covers(at, zone)), Some(true));
    });
    assert_eq!(asked.count_total, 0);
}

#[test]
fn a_trigger_is_hardly_larger_than_its_expression() {
    let trigger = Trigger::cron("30 0 * * *", Tz::UTC).expect("valid");
    assert!(size_of_val(&trigger) <= 104, "{}", size_of_val(&trigger));
    let cloned = allocation_counter::measure(|| drop(trigger.clone()));
    assert_eq!(cloned.count_total, 0);
}
