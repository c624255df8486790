use super::*;

fn apscheduler(text: &str) -> Result<CronExpr, CronError> {
    CronExpr::parse_dialect(text, Dialect::Apscheduler)
}

#[test]
fn a_crontab_of_apscheduler_counts_weekdays_from_monday() {
    for (theirs, ours) in [
        ("0 9 * * 0-4", "0 9 * * MON-FRI"),
        ("0 9 * * 6", "0 9 * * SUN"),
        ("0 9 * * mon,Sun", "0 9 * * SUN,MON"),
        ("5/20 * * * *", "5-59/20 * * * *"),
        ("*/15 0 last * *", "*/15 0 L * *"),
        ("0 0 */10 feb *", "0 0 */10 2 *"),
        ("* * * * *", "* * * * *"),
        ("0 8 1-7 * 0", "0 8 * * 1#1"),
        ("0 8 8-21 * sat,sun", "0 8 * * 6#2,6#3,0#2,0#3"),
    ] {
        assert_eq!(
            apscheduler(theirs).expect("valid").to_posix(),
            Ok(CronExpr::parse(ours).expect("valid").to_string()),
            "{theirs}"
        );
    }
}

#[test]
fn day_fields_that_must_both_match_say_why_they_have_no_other_form() {
    let expr = apscheduler("0 8 13 * fri").expect("valid");
    let error = expr.to_posix().expect_err("both");
    assert_eq!(error.kind(), CronErrorKind::Untranslatable);
    assert_eq!(error.excerpt(), "0 8 13 * &5\n    ^^^^^^^");
    let from = "2026-01-01T00:00:00Z".parse().expect("an instant");
    let fridays: Vec<String> = expr.upcoming(from, chrono::Utc).take(2).map(|at| at.date_naive().to_string()).collect();
    assert_eq!(fridays, ["2026-02-13", "2026-03-13"]);
}

#[test]
fn what_apscheduler_refuses_is_refused() {
    for (text, value) in [
        ("0 0 * * 7", "7"),
        ("60 * * * *", "60"),
        ("0 0 * * fri-mon", "fri-mon"),
        ("*/60 * * * *", "*/60"),
        ("1,,2 * * * *", ""),
        ("0 0 * * monday", "monday"),
        ("+5 * * * *", "+5"),
        ("0 0 * * mon-fri/2", "mon-fri/2"),
        ("0 0 * * mon-4", "mon-4"),
        ("0 0 * 2-mar *", "2-mar"),
        ("10-20/11 * * * *", "10-20/11"),
        ("50/10 * * * *", "50/10"),
        ("*/+5 * * * *", "*/+5"),
    ] {
        assert_eq!(apscheduler(text).expect_err(text).value(), value, "{text}");
    }
    let six = apscheduler("0 0 0 * * *").expect_err("six");
    assert_eq!(six.kind(), CronErrorKind::FieldCount);
    assert_eq!(six.help(), Some("the five are minute, hour, day of month, month, day of week"));
    assert_eq!(apscheduler("0 0 * * 8").expect_err("no day").allowed(), Some((0, 6)));
}

#[test]
fn numbers_of_weekdays_are_found_where_they_are_days() {
    let lint = |text| lint_weekdays(text).map(|lint| lint.suggestion().to_owned());
    assert_eq!(lint("0 9 * * 0,7"), Some("SUN,SUN".to_owned()));
    assert_eq!(lint("0 9 * * 5L,1#2"), Some("FRIL,MON#2".to_owned()));
    assert_eq!(lint("0 0 9 * * 2-6/2"), Some("TUE-SAT/2".to_owned()));
    assert_eq!(lint("0 9 * * 0-7/3,7-0"), Some("SUN-SAT/3,SUN-SUN".to_owned()));
    assert_eq!(lint("0 9 * * 01-05,006l"), Some("MON-FRI,SATl".to_owned()));
    assert_eq!(lint("0 9 * * Mon-5"), Some("Mon-FRI".to_owned()));
    assert_eq!(lint("0 9 * * */2"), None);
    assert_eq!(lint("0 9 1 * *"), None);
    for text in [
        "0 9 * * 0,7",
        "0 9 * * 5L,1#2",
        "0 9 * * 1-5",
        "0 9 * * 2-6/2",
        "0 9 * * 0-7",
        "0 9 * * 0-7/3",
        "0 9 * * sun-7",
        "0 9 * * 7-0",
        "0 9 * * 6-7",
        "0 9 * * 01-05,006l",
    ] {
        let named = format!("0 9 * * {}", lint(text).expect("numbers"));
        assert_eq!(CronExpr::parse(&named), CronExpr::parse(text));
    }
}

#[cfg(feature = "quartz")]
mod quartz {
    use super::*;

    fn quartz(text: &str) -> Result<CronExpr, CronError> {
        CronExpr::parse_dialect(text, Dialect::Quartz)
    }

    #[test]
    fn quartz_counts_weekdays_from_sunday_and_joins_the_day_fields() {
        for (theirs, ours) in [
            ("0 30 0 * * *", "30 0 * * *"),
            ("0 0 9 * * 2-6", "0 9 * * MON-FRI"),
            ("0 0 9 ? * Mon-Fri *", "0 9 * * MON-FRI"),
            ("0 0/15 * * * ?", "*/15 * * * *"),
            ("0 5/20 * * * ?", "5-59/20 * * * *"),
            ("0 0 12 1 1 ? 2030-2032", "0 0 12 1 1 * 2030-2032"),
            ("*/10 * * * * *", "*/10 * * * * *"),
            ("0 0 8 1-7 * 2", "0 8 * * 1#1"),
            ("@weekly", "0 0 * * SUN"),
            (" @hourly ", "0 * * * *"),
        ] {
            let expr = quartz(theirs).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(expr.to_posix(), Ok(CronExpr::parse(ours).expect("valid").to_string()), "{theirs}");
        }
        assert!(quartz("0 0 8 13 * 6").expect("valid").to_posix().is_err());
    }

    #[test]
    fn a_mistake_is_found_in_its_field_and_told_in_our_words() {
        for (text, value, message) in [
            ("0 0 0 * * 0", "0", "day of week `0` is outside 1-7"),
            ("0 60 0 * * *", "60", "minute `60` is outside 0-59"),
            ("0 0 0 L * *", "L", "day of month `L`: the `cron` crate knows no `L`, `W` and `#`"),
            ("0 0 0 * * FOO", "FOO", "day of week `FOO` is no value within 1-7"),
            ("0 */0 0 * * *", "*/0", "minute `*/0` is no value within 0-59"),
            ("0 0 0 * * * 2101", "2101", "year `2101` is outside 1970-2100"),
            ("0 0 * * *", "", "5 fields, where there are six (seconds first) or seven (year last)"),
            ("@midnight", "", "1 field, where there are six (seconds first) or seven (year last)"),
        ] {
            let error = quartz(text).expect_err(text);
            assert_eq!((error.value(), error.to_string().as_str()), (value, message), "{text}");
        }
        assert_eq!(quartz("0 0 0 * * 8").expect_err("no day").allowed(), Some((1, 7)));
    }
}
