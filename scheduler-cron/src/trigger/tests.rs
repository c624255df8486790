use super::*;
use crate::clock_changes::{ClockChangePolicy, FoldPolicy, GapPolicy};
use crate::zone::parse_zone;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn zone(name: &str) -> NamedZone {
    parse_zone(name).expect("a zone")
}

#[test]
fn a_trigger_prints_as_it_is_shown_to_people() {
    let union = ["0 9 * * 1-5", "0 12 * * 6"].map(|text| CronExpr::parse(text).expect("an expression"));
    let policy = ClockChangePolicy { gap: Some(GapPolicy::Skip), fold: Some(FoldPolicy::Both) };
    for (trigger, text) in [
        (Trigger::cron("30 0 * * *", zone("Asia/Jakarta")).expect("valid"), "30 0 * * * Asia/Jakarta"),
        (CronTrigger::union(union, NamedZone::UTC).expect("valid").into(), "0 9 * * 1-5 | 0 12 * * 6 UTC"),
        (
            CronTrigger::new(union[0], NamedZone::UTC).expect("valid").with_clock_changes(policy).into(),
            "0 9 * * 1-5 UTC gap=skip fold=both",
        ),
        (Trigger::every(Duration::from_secs(300)).expect("valid"), "every 5m"),
        (Trigger::at(utc("2026-01-01T00:00:00Z")), "at 2026-01-01T00:00:00Z"),
        (Trigger::after(["extract", "load"]).expect("valid"), "after extract, load"),
        (Trigger::Manual, "manual"),
    ] {
        assert_eq!(trigger.to_string(), text);
    }
}

#[test]
fn a_union_is_told_in_one_sentence() {
    let union = ["0 9 * * 1-5", "*/15 12 * * 6"].map(|text| CronExpr::parse(text).expect("an expression"));
    let trigger = CronTrigger::union(union, zone("Asia/Jakarta")).expect("valid");
    let trigger =
        trigger.except(Arc::new(crate::Calendar::parse("id-holidays", "*-12-25").expect("valid"))).expect("valid");
    for (language, words) in [
        (
            Language::English,
            "At 09:00, Monday to Friday; every 15 minutes from 12:00 to 12:59, on Saturday, except on days of id-holidays, Asia/Jakarta time",
        ),
        (
            Language::Indonesian,
            "Setiap hari Senin sampai Jumat pukul 09.00; setiap 15 menit dari pukul 12.00 sampai 12.59, setiap hari Sabtu, kecuali hari dalam id-holidays, waktu Asia/Jakarta",
        ),
    ] {
        assert_eq!(trigger.describe(language), words);
    }
}

#[test]
fn what_can_never_be_due_is_refused() {
    assert!(matches!(Trigger::cron("0 0 31 2 *", NamedZone::UTC), Err(TriggerError::NeverFires(_))));
    assert!(matches!(Trigger::cron("0 0 31 2", NamedZone::UTC), Err(TriggerError::Cron(_))));
    assert_eq!(CronTrigger::union([], NamedZone::UTC), Err(TriggerError::NoExpression));
    assert_eq!(Trigger::after([""; 0]), Err(TriggerError::NoUpstream));
    for period in [Duration::ZERO, Duration::from_micros(999), Duration::from_micros(1_500), Duration::MAX] {
        assert_eq!(Trigger::every(period), Err(TriggerError::Period(period)));
    }
}

#[test]
fn an_interval_counts_from_the_epoch_whenever_it_is_asked() {
    let trigger = Trigger::every(Duration::from_secs(420)).expect("valid");
    let first = trigger.next_after(utc("2026-05-01T10:00:00.5Z")).expect("endless");
    assert_eq!(first.timestamp() % 420, 0);
    assert_eq!(trigger.next_after(first), Some(first + Duration::from_secs(420)));
    assert_eq!(trigger.prev_before(first + Duration::from_millis(1)), Some(first));
    assert_eq!(trigger.prev_before(first), Some(first - Duration::from_secs(420)));
    assert!(trigger.covers(first) && !trigger.covers(first + Duration::from_nanos(1)));
    assert_eq!(trigger.next_after(utc("1969-12-31T23:59:59.9999Z")), Some(DateTime::UNIX_EPOCH));
}

#[test]
fn an_interval_may_count_from_another_anchor() {
    let anchor = utc("2026-05-01T10:00:01Z");
    let trigger = Trigger::from(EveryTrigger::new(Duration::from_secs(60)).expect("valid").with_anchor(anchor));
    assert_eq!(trigger.next_after(utc("2026-05-01T10:30:00Z")), Some(utc("2026-05-01T10:30:01Z")));
    assert_eq!(trigger.next_after(utc("2025-05-01T10:30:00Z")), Some(utc("2025-05-01T10:30:01Z")));
    assert_eq!(trigger.to_string(), "every 1m from 2026-05-01T10:00:01Z");
}

#[test]
fn an_instant_of_two_expressions_is_one_occurrence() {
    let exprs = ["0 * * * *", "0,30 12 * * *"].map(|text| CronExpr::parse(text).expect("an expression"));
    let trigger = Trigger::from(CronTrigger::union(exprs, NamedZone::UTC).expect("valid"));
    let found: Vec<_> = trigger.occurrences_between(utc("2026-01-01T11:00:00Z"), utc("2026-01-01T13:00:00Z")).collect();
    let expected = ["2026-01-01T12:00:00Z", "2026-01-01T12:30:00Z", "2026-01-01T13:00:00Z"].map(utc);
    assert_eq!(found, expected);
    assert!(expected.iter().all(|&at| trigger.covers(at)));
    assert_eq!(trigger.prev_before(expected[2]), Some(expected[1]));
}

#[test]
fn an_instant_is_due_once() {
    let trigger = Trigger::at(utc("2026-01-01T00:00:00Z"));
    assert_eq!(trigger.next_after(utc("2025-12-31T00:00:00Z")), Some(utc("2026-01-01T00:00:00Z")));
    assert_eq!(trigger.next_after(utc("2026-01-01T00:00:00Z")), None);
    assert_eq!(trigger.prev_before(utc("2026-01-01T00:00:01Z")), Some(utc("2026-01-01T00:00:00Z")));
}

#[test]
fn a_hundred_thousand_triggers_fit_ten_megabytes() {
    assert!(size_of::<CronExpr>() <= 96);
    assert!(size_of::<Trigger>() <= 104, "{}", size_of::<Trigger>());
}

fn except(expr: &str, zone_name: &str, calendar: &str) -> Result<CronTrigger, TriggerError> {
    let trigger = CronTrigger::new(CronExpr::parse(expr).expect("valid"), zone(zone_name)).expect("valid");
    trigger.except(Arc::new(crate::Calendar::parse("closed", calendar).expect("a calendar")))
}

#[test]
fn a_day_taken_out_has_no_occurrence_in_either_direction() {
    let trigger = except("0 */6 * * *", "America/New_York", "2026-03-08\n2026-11-01..2026-11-02\nSAT").expect("valid");
    let (from, to) = (utc("2026-03-06T00:00:00Z"), utc("2026-11-10T00:00:00Z"));
    let found: Vec<_> = Trigger::from(trigger.clone()).occurrences_between(from, to).collect();
    let all = CronExpr::parse("0 */6 * * *").expect("valid").occurrences_between(from, to, trigger.zone());
    let calendar = trigger.exception().expect("one");
    let kept: Vec<_> =
        all.filter(|at| calendar.excludes(at.with_timezone(&trigger.zone()).date_naive()).is_none()).collect();
    assert_eq!(found, kept);
    for pair in kept.windows(2) {
        assert_eq!(trigger.prev_before(pair[1]), Some(pair[0]));
    }
    assert!(trigger.covers(utc("2026-03-09T04:00:00Z")) && !trigger.covers(utc("2026-03-08T10:00:00Z")));
    assert_eq!(trigger.to_string(), "0 */6 * * * America/New_York except=closed");
}

#[test]
fn hazards_are_told_in_their_order_and_none_of_a_day_taken_out() {
    let (from, to) = (utc("2026-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z"));
    let exprs = ["30 1 * * *", "30 2 * * *"].map(|text| CronExpr::parse(text).expect("valid"));
    let trigger = CronTrigger::union(exprs, zone("America/New_York")).expect("valid");
    let dates = |trigger: &CronTrigger| -> Vec<String> {
        trigger.hazards(from, to).iter().map(|hazard| hazard.changes_at.date_naive().to_string()).collect()
    };
    assert_eq!(dates(&trigger), ["2026-03-08", "2026-11-01"]);
    let calendar = crate::Calendar::parse("closed", "2026-03-08").expect("a calendar");
    assert_eq!(dates(&trigger.except(Arc::new(calendar)).expect("valid")), ["2026-11-01"]);
}

#[test]
fn a_calendar_that_leaves_nothing_is_refused() {
    assert_eq!(except("0 0 25 12 *", "UTC", "*-12-25"), Err(TriggerError::Excluded("closed".to_owned())));
    assert_eq!(except("0 0 * * 6", "UTC", "SAT"), Err(TriggerError::Excluded("closed".to_owned())));
}
