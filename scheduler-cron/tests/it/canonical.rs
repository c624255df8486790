//! The form in which expressions are printed.

use proptest::prelude::*;
use scheduler_cron::CronExpr;

use crate::clock_changes::expression;

fn parse(text: &str) -> CronExpr {
    CronExpr::parse(text).expect("valid")
}

#[test]
fn expressions_of_one_meaning_print_alike() {
    for (text, canonical) in [
        ("0 0 * * SUN", "0 0 * * 0"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * mon-fri", "0 0 * * 1-5"),
        ("0 0 * * FRI-MON", "0 0 * * 0,1,5,6"),
        ("00 00 01 JAN *", "0 0 1 1 *"),
        ("@Weekly", "0 0 * * 0"),
        ("@annually", "0 0 1 1 *"),
        ("*/1 * * * *", "* * * * *"),
        ("1,*,5 * * * *", "* * * * *"),
        ("0 22-2 * * *", "0 0-2,22,23 * * *"),
        ("*/15,7 * * * *", "*/15,7 * * * *"),
        ("0,15,30,45 * * * *", "0-45/15 * * * *"),
        ("0 0 ? * 1-5", "0 0 * * 1-5"),
        ("0 5 * * * *", "5 * * * *"),
        ("*/10 5 * * * *", "*/10 5 * * * *"),
        ("0 0 12 * * * 2030-2032", "0 0 12 * * * 2030-2032"),
        ("0 0 12 * * * *", "0 12 * * *"),
        ("0 0 lw,l-3,15w,l * *", "0 0 L,L-3,15W,LW * *"),
        ("0 0 * * FRIl,mon#1,7#5", "0 0 * * 1#1,0#5,5L"),
        ("0-59 0-23 1-31 1-12 0-6", "0-59 0-23 * * *"),
        ("0 0 1-31 * 1", "0 0 * * *"),
        ("0 0 L * 0-6", "0 0 * * *"),
        ("0 0 1-31,L * *", "0 0 * * *"),
    ] {
        assert_eq!(parse(text).to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), parse(text), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_itself(text in expression()) {
        let expr = parse(&text);
        let printed = expr.to_string();
        prop_assert_eq!(parse(&printed), expr);
        prop_assert_eq!(parse(&printed).to_string(), printed);
    }
}
