//! Any text is an expression that prints as itself, or is refused with an excerpt that holds its span.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scheduler_cron::{Calendar, CronError, CronExpr, Dialect, Language, lint_weekdays, parse_duration, parse_zone};

fuzz_target!(|text: &str| {
    match CronExpr::parse(text) {
        Ok(expr) => {
            let printed = expr.to_string();
            assert_eq!(CronExpr::parse(&printed), Ok(expr), "{printed}");
            assert!(!expr.describe(Language::English).is_empty());
            assert!(!expr.describe_in(Language::Indonesian, "Asia/Jakarta").is_empty());
            expr.never_fires();
            if let Some(lint) = lint_weekdays(text) {
                let span = lint.span();
                let named = format!("{}{}{}", &text[..span.start], lint.suggestion(), &text[span.end..]);
                assert!(named.len() > 256 || CronExpr::parse(&named) == Ok(expr), "{named}");
            }
        }
        Err(error) => shown(&error),
    }
    for dialect in [Dialect::Apscheduler, Dialect::Quartz] {
        match CronExpr::parse_dialect(text, dialect) {
            Ok(expr) => match expr.to_posix() {
                Ok(posix) => assert!(CronExpr::parse(&posix).is_ok(), "{posix}"),
                Err(error) => shown(&error),
            },
            Err(error) => shown(&error),
        }
    }
    // A suggestion compares the name with six hundred: most inputs are worth more as expressions.
    if text.starts_with(|c: char| c.is_ascii_uppercase()) {
        let _ = parse_zone(text);
    }
    let _ = parse_duration(text);
    let _ = Calendar::parse("fuzz", text);
});

fn shown(error: &CronError) {
    assert!(error.expression().len() <= 256);
    assert_eq!(&error.expression()[error.span()], error.value());
    assert!(!format!("{error:#}").replace('\n', "").contains(char::is_control));
}
