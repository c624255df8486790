//! The one way an expression is printed.

use std::fmt::{self, Write};

use crate::expr::{ALL_DAYS, ALL_WEEKDAYS, CronExpr, Flags, Years};
use crate::field::Field;

mod values;

use values::Values;

/// Prints the canonical form: the fewest fields, numbers for names, `*` and `*/n` where they mean the same.
///
/// It parses to an equal expression, except where another dialect wants both of two restricted day fields to match: that has no form here,
/// and is marked by `&` between them.
impl fmt::Display for CronExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_years = self.years != Years::ALL;
        if has_years || self.seconds != 1 {
            field(f, Field::Second, self.seconds, Star::Free)?;
            f.write_char(' ')?;
        }
        field(f, Field::Minute, self.minutes, Star::of(self.flags.has(Flags::MINUTE_STAR)))?;
        f.write_char(' ')?;
        field(f, Field::Hour, self.hours.into(), Star::of(self.flags.has(Flags::HOUR_STAR)))?;
        f.write_char(' ')?;
        let (any_day, any_weekday) = (self.flags.has(Flags::ANY_DAY), self.flags.has(Flags::ANY_WEEKDAY));
        self.days_of_month(f, any_day, any_weekday)?;
        f.write_char(' ')?;
        field(f, Field::Month, self.months.into(), Star::Free)?;
        f.write_char(' ')?;
        if !any_day && !any_weekday && self.flags.has(Flags::BOTH_DAYS) {
            f.write_char('&')?;
        }
        self.days_of_week(f, any_day, any_weekday)?;
        if has_years {
            f.write_char(' ')?;
            years(f, &self.years)?;
        }
        Ok(())
    }
}

impl CronExpr {
    fn days_of_month(&self, f: &mut fmt::Formatter<'_>, any: bool, other_any: bool) -> fmt::Result {
        if any {
            return f.write_char('*');
        }
        let special = &self.special;
        let none = special.from_last == 0 && special.nearest_weekday == 0;
        // A step after `*` is refused beside the other day field, and `*` in a list would swallow what follows.
        let star = if other_any && none { Star::Free } else { Star::No };
        let mut list = List::new(f);
        if self.days & ALL_DAYS != 0 {
            list.item(|f| field(f, Field::DayOfMonth, self.days.into(), star))?;
        }
        for back in (0..=30).filter(|back| special.from_last >> back & 1 != 0) {
            list.item(|f| if back == 0 { f.write_char('L') } else { write!(f, "L-{back}") })?;
        }
        for day in (1..=31).filter(|day| special.nearest_weekday >> day & 1 != 0) {
            list.item(|f| write!(f, "{day}W"))?;
        }
        if special.nearest_weekday & 1 != 0 {
            list.item(|f| f.write_str("LW"))?;
        }
        Ok(())
    }

    fn days_of_week(&self, f: &mut fmt::Formatter<'_>, other_any: bool, any: bool) -> fmt::Result {
        if any {
            return f.write_char('*');
        }
        let special = &self.special;
        let none = special.last_weekday == 0 && special.nth_weekday == [0; 5];
        let star = if other_any && none { Star::Free } else { Star::No };
        let mut list = List::new(f);
        if self.weekdays & ALL_WEEKDAYS != 0 {
            list.item(|f| field(f, Field::DayOfWeek, self.weekdays.into(), star))?;
        }
        for (week, weekdays) in special.nth_weekday.iter().enumerate() {
            for weekday in (0..7).filter(|weekday| weekdays >> weekday & 1 != 0) {
                list.item(|f| write!(f, "{weekday}#{}", week + 1))?;
            }
        }
        for weekday in (0..7).filter(|weekday| special.last_weekday >> weekday & 1 != 0) {
            list.item(|f| write!(f, "{weekday}L"))?;
        }
        Ok(())
    }
}

/// Whether a field may, must or must not start with `*`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Star {
    Free,
    Must,
    No,
}

impl Star {
    fn of(must: bool) -> Star {
        if must { Star::Must } else { Star::No }
    }
}

struct List<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    started: bool,
}

impl<'a, 'b> List<'a, 'b> {
    fn new(f: &'a mut fmt::Formatter<'b>) -> List<'a, 'b> {
        List { f, started: false }
    }

    fn item(&mut self, write: impl FnOnce(&mut fmt::Formatter<'b>) -> fmt::Result) -> fmt::Result {
        if std::mem::replace(&mut self.started, true) {
            self.f.write_char(',')?;
        }
        write(self.f)
    }
}

fn field(f: &mut fmt::Formatter<'_>, field: Field, bits: u64, star: Star) -> fmt::Result {
    let (min, count) = (field.range().0, field.count());
    let all = (1..count).fold(1_u64 << min, |all, offset| all | 1 << (min + offset));
    if star != Star::No && bits & all == all {
        return f.write_char('*');
    }
    let mut left = bits & all;
    let mut list = List::new(f);
    if star != Star::No {
        let stepped = |step: u16| (0..count).step_by(step.into()).fold(0_u64, |set, offset| set | 1 << (min + offset));
        let fits = |step: u16| {
            if star == Star::Must { left & stepped(step) == stepped(step) } else { left == stepped(step) }
        };
        // A single value reads better without a step that never gets to a second.
        let longest = if star == Star::Must { count } else { (count - 1).min(count.div_ceil(2)) };
        if let Some(step) = (2..=longest).find(|&step| fits(step)) {
            left &= !stepped(step);
            list.item(|f| write!(f, "*/{step}"))?;
        }
    }
    Values::of_bits(left).write(&mut list)
}

fn years(f: &mut fmt::Formatter<'_>, years: &Years) -> fmt::Result {
    let (min, max) = Field::Year.range();
    Values::of(min, max, |year| years.contains(year)).write(&mut List::new(f))
}
