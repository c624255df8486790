//! What is refused, and what is said about it.

use scheduler_cron::{CronError, CronErrorKind, CronExpr, Field};

fn refused(text: &str) -> CronError {
    CronExpr::parse(text).expect_err(text)
}

/// Expression, marked part, message, mend.
const REFUSALS: [(&str, &str, &str, &str); 24] = [
    ("60 * * * *", "60", "minute `60` is outside 0-59", ""),
    ("0 24 * * *", "24", "hour `24` is outside 0-23", ""),
    ("0 0 0 * *", "0", "day of month `0` is outside 1-31", "months begin with day 1"),
    ("0 0 * 13 *", "13", "month `13` is outside 1-12", ""),
    ("0 0 * * 8", "8", "day of week `8` is outside 0-7", ""),
    ("0 0 0 * * * 2200", "2200", "year `2200` is outside 1970-2199", ""),
    ("0 0 0 * * * 2030-2029", "2030-2029", "year `2030-2029` counts backwards", "write `2029-2030`"),
    (
        "5/10 * * * *",
        "5/10",
        "minute `5/10` has a step after a single value",
        "write `5-59/10` to count from 5, or `5` alone",
    ),
    ("*/61 * * * *", "61", "minute has the step `61`, which is outside 1-60", ""),
    ("*/0 * * * *", "0", "minute has the step `0`, which is outside 1-60", ""),
    (
        "0 0 * * MONDAY",
        "MONDAY",
        "day of week `MONDAY` is neither a number nor a name",
        "names have three letters: write `MON`",
    ),
    (
        "0 0 * JANUARY *",
        "JANUARY",
        "month `JANUARY` is neither a number nor a name",
        "names have three letters: write `JAN`",
    ),
    (
        "0 0 * MON *",
        "MON",
        "month `MON` is neither a number nor a name",
        "weekday names stand in the day of week field",
    ),
    ("0 0 * * MOM", "MOM", "day of week `MOM` is neither a number nor a name", "did you mean `MON`?"),
    (
        "1,,2 * * * *",
        ",",
        "minute has an empty item in its list",
        "remove the comma, or write the missing value without a space before it",
    ),
    (
        "@reboot",
        "@reboot",
        "unknown nickname `@reboot`",
        "a start is no time; run the job once when the service starts instead",
    ),
    ("@dayly", "@dayly", "unknown nickname `@dayly`", "did you mean `@daily`?"),
    (
        "@every 5m",
        "@every",
        "unknown nickname `@every`",
        "an interval is no cron expression: write it as `every = \"5m\"`",
    ),
    (
        "* * * *",
        "",
        "4 fields, where there are five, six (seconds first) or seven (year last)",
        "the five are minute, hour, day of month, month, day of week",
    ),
    ("", "", "the expression is empty", "write five fields: minute, hour, day of month, month, day of week"),
    ("? * * * *", "?", "minute `?`: `?` stands in a day field alone", "write `*`"),
    (
        "0 0 L-1W * *",
        "W",
        "day of month `L-1W` has `W` where the value should end",
        "`L`, `W` and `#` stand in the day fields alone",
    ),
    (
        "0 0 */2 * 1",
        "*/2",
        "day of month `*/2` beside the other day field is read as \"both\" by some crons and as \"either\" by others",
        "for days that match either, write `1-31/2`; for days that match both, leave one field `*` and name the weekday's turn in the month, as `1#1`",
    ),
    (
        "TZ=Asia/Jakarta 0 0 * * *",
        "TZ=Asia/Jakarta",
        "the zone `Asia/Jakarta` stands in the expression",
        "give the zone beside the expression, as `tz = \"Asia/Jakarta\"`",
    ),
];

#[test]
fn a_refusal_names_the_field_the_value_the_range_and_the_mend() {
    let mut wrong = String::new();
    for (text, value, message, help) in REFUSALS {
        let error = refused(text);
        let said = (error.value(), error.to_string(), error.help().unwrap_or_default().to_owned());
        if (said.0, said.1.as_str(), said.2.as_str()) != (value, message, help) {
            wrong += &format!("{text}: {said:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_caret_stands_under_the_mistake_whatever_stands_before_it() {
    for (text, excerpt) in [
        ("0 24 * * *", "0 24 * * *\n  ^^"),
        ("\t0 \t24 * * *", " 0  24 * * *\n    ^^"),
        ("0 0 * * é", "0 0 * * é\n        ^"),
        ("\0 60 * * *", "\u{fffd} 60 * * *\n^"),
        ("* * * *", "* * * *\n       ^"),
    ] {
        assert_eq!(refused(text).excerpt(), excerpt, "{text:?}");
    }
}

#[test]
fn the_field_and_its_range_can_be_asked_for() {
    let error = refused("0 0 * * 1-8");
    assert_eq!(
        (error.kind(), error.field(), error.allowed()),
        (CronErrorKind::OutOfRange, Some(Field::DayOfWeek), Some((0, 7)))
    );
    assert_eq!((error.span(), error.value()), (10..11, "8"));
    assert_eq!(refused("* *").field(), None);
}

#[test]
fn an_impossible_date_parses_and_says_so() {
    for text in
        ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 L-30 2,4 *", "0 0 0 29 2 * 2101-2103", "0 0 31W 2 *"]
    {
        assert!(CronExpr::parse(text).expect("valid").never_fires(), "{text}");
    }
    for text in ["0 0 29 2 *", "0 0 31 2 1", "0 0 * * 1#5", "0 0 0 29 2 * 2104"] {
        assert!(!CronExpr::parse(text).expect("valid").never_fires(), "{text}");
    }
}
