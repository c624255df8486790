//! A field: a list of items, gathered into one set.

use std::ops::Range;

use super::item::{self, Item};
use crate::error::{CronErrorKind, Mistake};
use crate::expr::{SpecialDays, Years};
use crate::field::Field;

/// What a field other than the year says.
#[derive(Debug, Default)]
pub(super) struct FieldSet {
    pub(super) bits: u64,
    pub(super) special: SpecialDays,
    /// The field is `*`, or a list that contains it.
    pub(super) any: bool,
    /// A step after `*`, larger than one, stands in the list.
    pub(super) stepped_star: bool,
    pub(super) starts_with_star: bool,
}

impl FieldSet {
    pub(super) fn parse(text: &str, field: Field, span: Range<usize>) -> Result<FieldSet, Mistake> {
        let mut set = FieldSet::default();
        for_each_item(text, field, span.clone(), |at, item| match item {
            Item::Any => set.any = true,
            Item::Values { first, last, step, star } => {
                set.stepped_star |= star;
                set.starts_with_star |= star && at == span.start;
                set.bits |= bits(field, first, last, step);
            }
            Item::FromLast(days) => set.special.from_last |= 1 << days,
            Item::NearestWeekday(day) => set.special.nearest_weekday |= 1 << day,
            Item::LastWeekday(weekday) => set.special.last_weekday |= 1 << weekday,
            Item::NthWeekday(weekday, nth) => set.special.nth_weekday[usize::from(nth) - 1] |= 1 << weekday,
        })?;
        if set.any {
            let (min, max) = field.range();
            let bits = bits(field, min, max, 1);
            set = FieldSet { any: true, starts_with_star: true, bits, ..FieldSet::default() };
        }
        Ok(set)
    }
}

/// The year field, whose values do not fit a word.
pub(super) fn years(text: &str, span: Range<usize>) -> Result<Years, Mistake> {
    let mut years = Years::NONE;
    for_each_item(text, Field::Year, span, |_, item| match item {
        Item::Any => years = Years::ALL,
        Item::Values { first, last, step, .. } => {
            (first..=last).step_by(step.into()).for_each(|year| years.insert(year))
        }
        _ => unreachable!("special items stand in day fields alone"),
    })?;
    Ok(years)
}

fn for_each_item(
    text: &str,
    field: Field,
    span: Range<usize>,
    mut take: impl FnMut(usize, Item),
) -> Result<(), Mistake> {
    let mut start = span.start;
    for part in text[span.clone()].split(',') {
        let item = start..start + part.len();
        if part.is_empty() {
            return Err(empty_item(field, span, start));
        }
        take(start, item::parse(text, field, item, &span)?);
        start += part.len() + 1;
    }
    Ok(())
}

fn empty_item(field: Field, span: Range<usize>, at: usize) -> Mistake {
    // The comma beside the hole; an empty field can't be, since white space ends one.
    let comma = if at > span.start { at - 1 } else { at };
    Mistake {
        kind: CronErrorKind::EmptyItem,
        field: Some(field),
        span: comma..comma + 1,
        message: format!("{field} has an empty item in its list"),
        help: Some("remove the comma, or write the missing value without a space before it".to_owned()),
    }
}

/// The values of a range; one that counts backwards goes on from the field's start.
fn bits(field: Field, first: u16, last: u16, step: u16) -> u64 {
    let (min, _) = field.range();
    let count = field.count();
    if step == 1 && first <= last && last < min + count {
        // The usual case, without a loop over the values.
        return (u64::MAX >> (63 - (last - first))) << first;
    }
    let length = if first <= last { last - first } else { last + count - first };
    let mut bits = 0;
    for offset in (0..=length).step_by(step.into()) {
        // Sunday's second number, 7, wraps to its first.
        bits |= 1_u64 << ((first - min + offset) % count + min);
    }
    bits
}
