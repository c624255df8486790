//! From the text to an expression: white space separates fields, and every field is read by itself.

use std::ops::Range;

use crate::error::{CronError, CronErrorKind, Mistake};
use crate::expr::{CronExpr, Flags, SpecialDays, Years};
use crate::field::Field;
use crate::nearest::nearest;

mod item;
mod set;

use set::FieldSet;

/// The longest expression that is read.
pub(crate) const MAX_BYTES: usize = 256;

pub(crate) const FIVE: &[Field] = &[Field::Minute, Field::Hour, Field::DayOfMonth, Field::Month, Field::DayOfWeek];
pub(crate) const SIX: &[Field] =
    &[Field::Second, Field::Minute, Field::Hour, Field::DayOfMonth, Field::Month, Field::DayOfWeek];
pub(crate) const SEVEN: &[Field] =
    &[Field::Second, Field::Minute, Field::Hour, Field::DayOfMonth, Field::Month, Field::DayOfWeek, Field::Year];

/// The nicknames and what they stand for.
pub(crate) const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

pub(crate) fn parse(text: &str) -> Result<CronExpr, CronError> {
    checked_length(text).and_then(|()| parse_text(text)).map_err(|mistake| CronError::new(text, mistake))
}

pub(crate) fn checked_length(text: &str) -> Result<(), Mistake> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(Mistake {
        kind: CronErrorKind::TooLong,
        field: None,
        span: 0..0,
        message: format!("the expression has {} bytes, more than {MAX_BYTES}", text.len()),
        help: None,
    })
}

pub(crate) fn parse_text(text: &str) -> Result<CronExpr, Mistake> {
    let (spans, count) = split(text);
    let spans = &spans[..count.min(spans.len())];
    if let Some(first) = spans.first()
        && text[first.clone()].starts_with('@')
    {
        return nickname(text, first.clone(), spans.get(1));
    }
    if let Some(first) = spans.first()
        && let Some(("TZ" | "CRON_TZ", zone)) = text[first.clone()].split_once('=')
    {
        return Err(zone_inside(zone, first.clone()));
    }
    let fields = match count {
        5 => FIVE,
        6 => SIX,
        7 => SEVEN,
        0 => return Err(empty()),
        _ => return Err(wrong_count(text, spans, count)),
    };
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
    let (mut stepped_day, mut stepped_weekday) = (false, false);
    for (&field, span) in fields.iter().zip(spans) {
        if field == Field::Year {
            expr.years = set::years(text, span.clone())?;
            continue;
        }
        let set = FieldSet::parse(text, field, span.clone())?;
        match field {
            Field::Second => expr.seconds = set.bits,
            Field::Minute => {
                expr.minutes = set.bits;
                expr.flags.set(Flags::MINUTE_STAR, set.starts_with_star);
            }
            Field::Hour => {
                expr.hours = set.bits as u32;
                expr.flags.set(Flags::HOUR_STAR, set.starts_with_star);
            }
            Field::DayOfMonth => {
                expr.days = set.bits as u32;
                expr.special.from_last = set.special.from_last;
                expr.special.nearest_weekday = set.special.nearest_weekday;
                expr.flags.set(Flags::ANY_DAY, set.any);
                stepped_day = set.stepped_star;
            }
            Field::Month => expr.months = set.bits as u16,
            Field::DayOfWeek => {
                expr.weekdays = set.bits as u8;
                expr.special.nth_weekday = set.special.nth_weekday;
                expr.special.last_weekday = set.special.last_weekday;
                expr.flags.set(Flags::ANY_WEEKDAY, set.any);
                stepped_weekday = set.stepped_star;
            }
            Field::Year => unreachable!("read above"),
        }
    }
    let both_restricted = !expr.flags.has(Flags::ANY_DAY) && !expr.flags.has(Flags::ANY_WEEKDAY);
    if both_restricted && (stepped_day || stepped_weekday) {
        let at = fields.iter().position(|&field| field == Field::DayOfMonth).expect("every expression has one");
        return Err(ambiguous(text, spans[at].clone(), spans[at + 2].clone(), stepped_day));
    }
    expr.normalize();
    Ok(expr)
}

/// The spans of at most eight fields, and how many fields there are.
fn split(text: &str) -> ([Range<usize>; 8], usize) {
    let mut spans: [Range<usize>; 8] = Default::default();
    let mut count = 0;
    let mut start = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        if !byte.is_ascii_whitespace() {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            if let Some(span) = spans.get_mut(count) {
                *span = start..at;
            }
            count += 1;
        }
    }
    (spans, count)
}

fn nickname(text: &str, word: Range<usize>, next: Option<&Range<usize>>) -> Result<CronExpr, Mistake> {
    let mistake = |span: Range<usize>, message: String, help: Option<String>| {
        Err(Mistake { kind: CronErrorKind::Nickname, field: None, span, message, help })
    };
    let name = &text[word.clone()];
    if name.eq_ignore_ascii_case("@every") {
        let period = next.map_or("5m", |next| &text[next.clone()]);
        let help = format!("an interval is no cron expression: write it as `every = \"{period}\"`");
        return mistake(word, format!("unknown nickname `{name}`"), Some(help));
    }
    if let Some(next) = next {
        let message = format!("`{name}` stands alone, without `{}`", &text[next.clone()]);
        return mistake(next.clone(), message, None);
    }
    if let Some((_, meaning)) = NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(name)) {
        return parse_text(meaning);
    }
    let help = if name.eq_ignore_ascii_case("@reboot") {
        "a start is no time; run the job once when the service starts instead".to_owned()
    } else if let Some(near) = nearest(name, NICKNAMES.iter().map(|(nickname, _)| *nickname)) {
        format!("did you mean `{near}`?")
    } else {
        let known: Vec<_> = NICKNAMES.iter().map(|(nickname, _)| *nickname).collect();
        format!("known are {}", known.join(", "))
    };
    mistake(word, format!("unknown nickname `{name}`"), Some(help))
}

fn empty() -> Mistake {
    Mistake {
        kind: CronErrorKind::Empty,
        field: None,
        span: 0..0,
        message: "the expression is empty".to_owned(),
        help: Some("write five fields: minute, hour, day of month, month, day of week".to_owned()),
    }
}

fn zone_inside(zone: &str, span: Range<usize>) -> Mistake {
    Mistake {
        kind: CronErrorKind::Syntax,
        field: None,
        span,
        message: format!("the zone `{zone}` stands in the expression"),
        help: Some(format!("give the zone beside the expression, as `tz = \"{zone}\"`")),
    }
}

fn wrong_count(text: &str, spans: &[Range<usize>], count: usize) -> Mistake {
    let fields = if count == 1 { "field" } else { "fields" };
    // Of too many, the first that is too many; of too few, the place after the last.
    let span = spans.get(7).map_or(text.trim_ascii_end().len()..text.trim_ascii_end().len(), |extra| {
        extra.start..text.trim_ascii_end().len()
    });
    let comma = text.contains(", ").then_some("; a list has no spaces after its commas");
    Mistake {
        kind: CronErrorKind::FieldCount,
        field: None,
        span,
        message: format!("{count} {fields}, where there are five, six (seconds first) or seven (year last)"),
        help: Some(format!("the five are minute, hour, day of month, month, day of week{}", comma.unwrap_or_default())),
    }
}

fn ambiguous(text: &str, day: Range<usize>, weekday: Range<usize>, stepped_day: bool) -> Mistake {
    let (field, span) =
        if stepped_day { (Field::DayOfMonth, day.clone()) } else { (Field::DayOfWeek, weekday.clone()) };
    let stepped = &text[span.clone()];
    let (min, max) = if stepped_day { (1, 31) } else { (0, 6) };
    let either = stepped.replace("*/", &format!("{min}-{max}/"));
    let both = match (&text[day], &text[weekday]) {
        // The two idioms in use say "the first Monday".
        ("1-7", "*/7") => "`0#1` in the day of week alone is the month's first Sunday".to_owned(),
        _ => "for days that match both, leave one field `*` and name the weekday's turn in the month, as `1#1`"
            .to_owned(),
    };
    Mistake {
        kind: CronErrorKind::Ambiguous,
        field: Some(field),
        span,
        message: format!(
            "{field} `{stepped}` beside the other day field is read as \"both\" by some crons and as \"either\" by others"
        ),
        help: Some(format!("for days that match either, write `{either}`; {both}")),
    }
}
