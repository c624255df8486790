//! The strings of services that used the `cron` crate, read by that crate: it has the last word on its own grammar.
//!
//! Only its sets are taken; times are never asked of it, and its errors are told in our words.

use std::ops::Range;
use std::str::FromStr;

use cron::{Schedule, TimeUnitSpec};

use super::fields;
use crate::error::{CronError, CronErrorKind, Mistake};
use crate::expr::{CronExpr, Flags, SpecialDays, Years};
use crate::field::Field;
use crate::parse::{SEVEN, SIX, checked_length};

pub(super) fn parse(text: &str) -> Result<CronExpr, CronError> {
    let parsed = checked_length(text).and_then(|()| parse_text(text));
    parsed.map_err(|mistake| CronError::new(text, mistake).within(range_of))
}

fn parse_text(text: &str) -> Result<CronExpr, Mistake> {
    // Its five nicknames are of ours, and mean the same.
    if text.trim_start().starts_with('@') && Schedule::from_str(text.trim_ascii()).is_ok() {
        return crate::parse::parse_text(text);
    }
    let help = "in this dialect seconds come first: `0 30 0 * * *` is half past midnight";
    let fields = fields(text, &[SIX, SEVEN], "six (seconds first) or seven (year last)", help)?;
    for (field, span) in &fields {
        checked(text, **field, span.clone())?;
    }
    // Each field was read by itself: only now may they be read together.
    let sources: Vec<&str> = fields.iter().map(|(_, span)| &text[span.clone()]).collect();
    let Ok(schedule) = Schedule::from_str(&sources.join(" ")) else {
        let message = "the expression is none that the `cron` crate reads".to_owned();
        return Err(Mistake { kind: CronErrorKind::Syntax, field: None, span: 0..text.len(), message, help: None });
    };
    let bits = |unit: &dyn Fn(u32) -> bool, field: Field| -> u64 {
        let (min, max) = field.range();
        (min..=max).filter(|&value| unit(value.into())).fold(0, |bits, value| bits | 1 << value)
    };
    let mut flags = Flags::default();
    flags.set(Flags::MINUTE_STAR, keeps_interval(sources[1]));
    flags.set(Flags::HOUR_STAR, keeps_interval(sources[2]));
    flags.set(Flags::ANY_DAY, schedule.days_of_month().is_all());
    flags.set(Flags::ANY_WEEKDAY, schedule.days_of_week().is_all());
    flags.set(Flags::BOTH_DAYS, !flags.has(Flags::ANY_DAY) && !flags.has(Flags::ANY_WEEKDAY));
    let mut years = Years::ALL;
    if !schedule.years().is_all() {
        years = Years::NONE;
        let (first, last) = Field::Year.range();
        (first..=last).filter(|&year| schedule.years().includes(year.into())).for_each(|year| years.insert(year));
    }
    let mut expr = CronExpr {
        seconds: bits(&|value| schedule.seconds().includes(value), Field::Second),
        minutes: bits(&|value| schedule.minutes().includes(value), Field::Minute),
        hours: bits(&|value| schedule.hours().includes(value), Field::Hour) as u32,
        days: bits(&|value| schedule.days_of_month().includes(value), Field::DayOfMonth) as u32,
        months: bits(&|value| schedule.months().includes(value), Field::Month) as u16,
        // Sunday is 1 there.
        weekdays: (bits(&|value| schedule.days_of_week().includes(value), Field::DayOfWeek) >> 1) as u8,
        flags,
        special: SpecialDays::NONE,
        years,
    };
    expr.normalize();
    Ok(expr)
}

/// `0/n` is how this dialect writes `*/n`.
fn keeps_interval(source: &str) -> bool {
    source.starts_with('*') || source.starts_with("0/") || source.split(',').any(|item| item == "*")
}

/// Reads one field beside fields that are certainly right, to know whose mistake it is.
fn checked(text: &str, field: Field, span: Range<usize>) -> Result<(), Mistake> {
    let source = &text[span.clone()];
    let position = SEVEN.iter().position(|&known| known == field).expect("all fields are there");
    let mut parts = ["0", "0", "0", "*", "*", "*", "*"];
    parts[position] = source;
    // A step of zero names nothing, and is not refused by every release.
    let zero = source
        .split(',')
        .any(|item| item.split_once('/').is_some_and(|(_, step)| step.bytes().all(|byte| byte == b'0')));
    // What the crate would swallow at a field's edges.
    let plain = source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*?,-/".contains(&byte));
    if plain && !zero && Schedule::from_str(&parts.join(" ")).is_ok() {
        return Ok(());
    }
    let (min, max) = range_of(field);
    let number = source.bytes().all(|byte| byte.is_ascii_digit());
    let (kind, message) = if number {
        (CronErrorKind::OutOfRange, format!("{field} `{source}` is outside {min}-{max}"))
    } else if source.contains(['L', 'W', '#']) {
        (CronErrorKind::Special, format!("{field} `{source}`: the `cron` crate knows no `L`, `W` and `#`"))
    } else {
        (CronErrorKind::Syntax, format!("{field} `{source}` is no value within {min}-{max}"))
    };
    let help = match field {
        Field::DayOfWeek if source.contains('0') => Some("in this dialect 1 is Sunday and 7 is Saturday".to_owned()),
        _ if kind == CronErrorKind::Special => Some("leave out the dialect: the expression's own has them".to_owned()),
        _ => None,
    };
    Err(Mistake { kind, field: Some(field), span, message, help })
}

const fn range_of(field: Field) -> (u16, u16) {
    match field {
        Field::DayOfWeek => (1, 7),
        Field::Year => (1970, 2100),
        field => field.range(),
    }
}
