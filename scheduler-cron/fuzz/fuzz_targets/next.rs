//! In any zone, at any instant and under any policy, occurrences strictly grow, and each is found backwards from the one after it.

#![no_main]

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use libfuzzer_sys::fuzz_target;
use scheduler_cron::{ClockChangePolicy, CronExpr, FoldPolicy, GapPolicy};

fuzz_target!(|input: (u16, i64, u32, u8, &str)| {
    let (zone, seconds, nanos, policy, text) = input;
    let Ok(expr) = CronExpr::parse(text) else { return };
    let Some(at) = DateTime::<Utc>::from_timestamp(seconds % 9_000_000_000, nanos % 1_000_000_000) else { return };
    let zone = TZ_VARIANTS[usize::from(zone) % TZ_VARIANTS.len()];
    let policy = ClockChangePolicy {
        gap: [None, Some(GapPolicy::Shift), Some(GapPolicy::Skip)][usize::from(policy) % 3],
        fold: [None, Some(FoldPolicy::First), Some(FoldPolicy::Last), Some(FoldPolicy::Both)][usize::from(policy / 3) % 4],
    };
    let mut last = at;
    for index in 0..4 {
        let Some(next) = expr.next_after_with(last, &zone, policy) else { break };
        assert!(next > last);
        assert!(expr.covers_with(next, &zone, policy));
        if index > 0 {
            assert_eq!(expr.prev_before_with(next, &zone, policy), Some(last));
        }
        last = next;
    }
    expr.hazards_with(zone, at, at + TimeDelta::days(400), policy);
});
