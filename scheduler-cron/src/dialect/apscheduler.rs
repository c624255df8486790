//! The crontab of APScheduler 3: five fields, 0 is Monday, restricted day fields must both match, `a/n` goes on to the field's end.

use std::ops::Range;

use super::fields;
use crate::error::{CronError, CronErrorKind, Mistake};
use crate::expr::{CronExpr, Flags, SpecialDays, Years};
use crate::field::{Field, MONTH_NAMES, WEEKDAY_NAMES};
use crate::parse::{FIVE, checked_length};

const FIVE_NAMES: &str = "the five are minute, hour, day of month, month, day of week";

pub(super) fn parse(text: &str) -> Result<CronExpr, CronError> {
    let parsed = checked_length(text).and_then(|()| parse_text(text));
    parsed.map_err(|mistake| CronError::new(text, mistake).within(range_of))
}

fn parse_text(text: &str) -> Result<CronExpr, Mistake> {
    let mut expr = CronExpr {
        seconds: 1,
        minutes: 0,
        hours: 0,
        days: 0,
        months: 0,
        weekdays: 0,
        flags: Flags::default(),
        special: SpecialDays::NONE,
        years: Years::ALL,
    };
    for (&field, span) in fields(text, &[FIVE], "five", FIVE_NAMES)? {
        let source = &text[span.clone()];
        let (bits, last_day) = set(text, field, span.clone())?;
        let any = source.split(',').any(|item| item == "*");
        let star = source.starts_with('*') || any;
        match field {
            Field::Minute => {
                expr.minutes = bits;
                expr.flags.set(Flags::MINUTE_STAR, star);
            }
            Field::Hour => {
                expr.hours = bits as u32;
                expr.flags.set(Flags::HOUR_STAR, star);
            }
            Field::DayOfMonth => {
                expr.days = bits as u32;
                expr.special.from_last = last_day.into();
                expr.flags.set(Flags::ANY_DAY, any);
            }
            Field::Month => expr.months = bits as u16,
            Field::DayOfWeek => {
                // Monday's 0 is our 1, Sunday's 6 our 0.
                expr.weekdays = ((bits << 1 | bits >> 6) & 0x7f) as u8;
                expr.flags.set(Flags::ANY_WEEKDAY, any);
            }
            Field::Second | Field::Year => unreachable!("a crontab has neither"),
        }
    }
    expr.flags.set(Flags::BOTH_DAYS, !expr.flags.has(Flags::ANY_DAY) && !expr.flags.has(Flags::ANY_WEEKDAY));
    expr.normalize();
    Ok(expr)
}

/// The values of a field, weekdays counted from Monday, and whether the last day of the month is among them.
fn set(text: &str, field: Field, span: Range<usize>) -> Result<(u64, bool), Mistake> {
    let (mut bits, mut last_day, mut start) = (0_u64, false, span.start);
    for item in text[span].split(',') {
        let at = start..start + item.len();
        start = at.end + 1;
        if field == Field::DayOfMonth && item.eq_ignore_ascii_case("last") {
            last_day = true;
            continue;
        }
        let (min, max) = range_of(field);
        let refuse = |kind, message, help| Mistake { kind, field: Some(field), span: at.clone(), message, help };
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let value_of = |value: &str| value_of(field, value).ok_or_else(|| unknown(field, value, at.clone()));
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (min, max),
            // Of these it would read the name alone.
            Some((first, last)) if is_number(first) != is_number(last) => {
                let message = format!("{field} `{item}` goes from a name to a number, or back");
                return Err(refuse(CronErrorKind::Name, message, Some("write two names or two numbers".to_owned())));
            }
            Some((first, last)) => (value_of(first)?, value_of(last)?),
            None if step.is_some() => (value_of(range)?, max),
            None => (value_of(range)?, value_of(range)?),
        };
        if first > last {
            let message = format!("{field} `{item}` counts backwards");
            return Err(refuse(CronErrorKind::Reversed, message, Some("APScheduler's ranges do not wrap".to_owned())));
        }
        let step = step_of(field, range, step, last - first)
            .map_err(|(message, help)| refuse(CronErrorKind::Step, message, help))?;
        (first..=last).step_by(step.into()).for_each(|value| bits |= 1 << value);
    }
    Ok((bits, last_day))
}

/// The step after a range, at most as long as the range; else what is wrong with it, and the mend.
fn step_of(field: Field, range: &str, step: Option<&str>, longest: u16) -> Result<u16, (String, Option<String>)> {
    let Some(step) = step else { return Ok(1) };
    if range.contains(|c: char| c.is_ascii_alphabetic()) {
        // It reads the names, and passes over what follows them.
        let help = "leave the step out, or write numbers for the names".to_owned();
        return Err((
            format!("{field} `{range}/{step}` has a step after names, which APScheduler ignores"),
            Some(help),
        ));
    }
    let number = is_number(step).then(|| step.parse().ok()).flatten();
    let allowed = number.filter(|step| (1..=longest).contains(step));
    allowed.ok_or_else(|| (format!("{field} has the step `{step}`, which is outside 1-{longest}"), None))
}

const fn range_of(field: Field) -> (u16, u16) {
    match field {
        Field::DayOfWeek => (0, 6),
        _ => field.range(),
    }
}

fn value_of(field: Field, value: &str) -> Option<u16> {
    let (min, max) = range_of(field);
    if is_number(value) {
        return value.parse().ok().filter(|number| (min..=max).contains(number));
    }
    let position = |names: &[&str]| names.iter().position(|name| name.eq_ignore_ascii_case(value));
    match field {
        Field::Month => position(&MONTH_NAMES).map(|month| month as u16 + 1),
        Field::DayOfWeek => position(&WEEKDAY_NAMES).map(|day| (day as u16 + 6) % 7),
        _ => None,
    }
}

fn unknown(field: Field, value: &str, span: Range<usize>) -> Mistake {
    let (min, max) = range_of(field);
    let (kind, message) = match (value, is_number(value)) {
        ("", _) => (CronErrorKind::EmptyItem, format!("{field} has an empty value")),
        (_, true) => (CronErrorKind::OutOfRange, format!("{field} `{value}` is outside {min}-{max}")),
        (_, false) => (CronErrorKind::Syntax, format!("{field} `{value}` is no value")),
    };
    let sunday = field == Field::DayOfWeek && value == "7";
    let help = sunday.then(|| "in APScheduler 0 is Monday and 6 is Sunday".to_owned());
    Mistake { kind, field: Some(field), span, message, help }
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}
