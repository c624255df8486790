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
        ("0 0 0 1 1 * 1970-2068/2", "0 0 0 1 1 * 1970-2068/2"),
        ("0 0 0 1 1 * */2,2001", "0 0 0 1 1 * 1970-2198/2,2001"),
        ("0 0 0 1 1 * 2030,2031,2040", "0 0 0 1 1 * 2030,2031,2040"),
        ("1-58/3,0-59/3 1-22/3,0-23/3 * * *", "0-57/3,1-58/3 0-21/3,1-22/3 * * *"),
    ] {
        assert_eq!(parse(text).to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), parse(text), "{text}");
    }
}

/// Lists of steps that overlap name many values in few bytes: listed one by one, they would not be read again.
#[test]
fn the_longest_expressions_are_not_printed_longer_than_they_may_be() {
    let steps = |first: u32, last: u32| [7, 11, 13, 17, 19].map(|step| format!("{first}-{last}/{step},")).concat();
    for text in [
        format!("{0}5 {0}5 {1}5 * * *", steps(0, 59), steps(1, 23)),
        format!("1 2 3 4 5 6 {}2199", steps(1970, 2199)),
        "0-58/3,1-59/3 0-58/3,1-59/3 0-21/3,1-22/3 1-31/3,2-29/3,L,L-1,L-2,L-3,L-4,L-5,1W,2W,3W,4W,5W,6W,7W,8W,9W,10W,11W,12W,13W,14W,15W,16W 1-12/5,2-12/7 0#1,0#2,0#3,1#1,1#2,2#1,3#1,4#1,5#1,6#1,5L 1970-2199/3,1971-2199/3".to_owned(),
    ] {
        assert!(text.len() <= 256, "{}", text.len());
        let printed = parse(&text).to_string();
        assert!(printed.len() <= text.len(), "{text}\n{printed}");
        assert_eq!(parse(&printed), parse(&text));
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
