//! An item of a list: `*`, a value, a range, each perhaps with a step, or a special day.

use std::ops::Range;

use crate::error::{CronErrorKind, Mistake};
use crate::field::{Field, MONTH_NAMES, WEEKDAY_NAMES};
use crate::nearest::nearest;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`, `*/1` or `?`.
    Any,
    /// Values from `first` to `last`, wrapping where `last` is smaller; `star` for a step after `*`.
    Values { first: u16, last: u16, step: u16, star: bool },
    /// `L` (zero) or `L-n`.
    FromLast(u16),
    /// `nW`, or `LW` (zero).
    NearestWeekday(u16),
    /// `nL` in the day of week.
    LastWeekday(u16),
    /// `n#k`.
    NthWeekday(u16, u16),
}

/// Reads one item of `field`, whose text lies at `span`.
pub(super) fn parse(text: &str, field: Field, span: Range<usize>, whole: &Range<usize>) -> Result<Item, Mistake> {
    Reader { text, field, item: span.clone(), at: span.start }.item(whole)
}

/// A place in the text of one item.
struct Reader<'a> {
    text: &'a str,
    field: Field,
    item: Range<usize>,
    at: usize,
}

impl Reader<'_> {
    fn item(&mut self, whole: &Range<usize>) -> Result<Item, Mistake> {
        let item = match self.peek() {
            Some(b'*') => self.star()?,
            Some(b'?') => self.question(whole)?,
            Some(b'L' | b'l')
                if self.field == Field::DayOfMonth && !self.text[self.item.clone()].eq_ignore_ascii_case("last") =>
            {
                self.last_day()?
            }
            _ => self.value_or_range()?,
        };
        if self.at < self.item.end { Err(self.unexpected()) } else { Ok(item) }
    }

    fn star(&mut self) -> Result<Item, Mistake> {
        self.at += 1;
        let (first, max) = self.field.range();
        // Sunday's second number would make the last day of a stepped week a Sunday.
        let last = if self.field == Field::DayOfWeek { 6 } else { max };
        Ok(match self.step(true)? {
            None | Some(1) => Item::Any,
            Some(step) => Item::Values { first, last, step, star: true },
        })
    }

    fn question(&mut self, whole: &Range<usize>) -> Result<Item, Mistake> {
        if !self.field.is_day() {
            return Err(self.special("`?` stands in a day field alone", "write `*`"));
        }
        if whole.len() > 1 {
            return Err(self.special("`?` stands alone in its field", "write `*`, or the values without `?`"));
        }
        self.at += 1;
        Ok(Item::Any)
    }

    fn last_day(&mut self) -> Result<Item, Mistake> {
        self.at += 1;
        if self.eat(b'w') {
            return Ok(Item::NearestWeekday(0));
        }
        if !self.eat(b'-') {
            return Ok(Item::FromLast(0));
        }
        let start = self.at;
        match self.digits() {
            Some(days @ 1..=30) => Ok(Item::FromLast(days)),
            Some(_) => Err(self.out_of_range(start, "days before the last", (1, 30))),
            None => Err(self.unexpected()),
        }
    }

    fn value_or_range(&mut self) -> Result<Item, Mistake> {
        let start = self.at;
        let first = self.value()?;
        let field = self.field;
        match field {
            Field::DayOfMonth if self.eat(b'w') => return Ok(Item::NearestWeekday(first)),
            Field::DayOfWeek if self.eat(b'l') => return Ok(Item::LastWeekday(first % 7)),
            Field::DayOfWeek if self.eat(b'#') => return self.nth(first % 7),
            _ => {}
        }
        if !self.eat(b'-') {
            return match self.step(false)? {
                None => Ok(Item::Values { first, last: first, step: 1, star: false }),
                Some(_) => unreachable!("a step after a single value is refused"),
            };
        }
        let last = self.value()?;
        if self.field == Field::Year && last < first {
            return Err(self.mistake(
                CronErrorKind::Reversed,
                start..self.at,
                format!("year `{first}-{last}` counts backwards"),
                Some(format!("write `{last}-{first}`")),
            ));
        }
        let step = self.step(true)?.unwrap_or(1);
        Ok(Item::Values { first, last, step, star: false })
    }

    fn nth(&mut self, weekday: u16) -> Result<Item, Mistake> {
        let start = self.at;
        match self.digits() {
            Some(nth @ 1..=5) => Ok(Item::NthWeekday(weekday, nth)),
            Some(_) => Err(self.out_of_range(start, "the weekday's turn in the month", (1, 5))),
            None => Err(self.unexpected()),
        }
    }

    /// A step, if one follows; it is refused after a single value.
    fn step(&mut self, allowed: bool) -> Result<Option<u16>, Mistake> {
        let slash = self.at;
        if !self.eat(b'/') {
            return Ok(None);
        }
        let start = self.at;
        let Some(step) = self.digits() else {
            return Err(self.unexpected());
        };
        let field = self.field;
        if step == 0 || step > field.count() {
            let message =
                format!("{field} has the step `{}`, which is outside 1-{}", &self.text[start..self.at], field.count());
            return Err(self.mistake(CronErrorKind::Step, start..self.at, message, None));
        }
        if !allowed {
            let (_, max) = field.range();
            let value = &self.text[self.item.start..slash];
            let message = format!("{field} `{}` has a step after a single value", self.source());
            let help = format!("write `{value}-{max}/{step}` to count from {value}, or `{value}` alone");
            return Err(self.mistake(CronErrorKind::Step, self.item.clone(), message, Some(help)));
        }
        Ok(Some(step))
    }

    /// A number or a name of the field.
    fn value(&mut self) -> Result<u16, Mistake> {
        let start = self.at;
        if let Some(value) = self.digits() {
            let (min, max) = self.field.range();
            let inside = (min..=max).contains(&value);
            return if inside { Ok(value) } else { Err(self.out_of_range(start, "", (min, max))) };
        }
        let letters = self.rest().bytes().take_while(u8::is_ascii_alphabetic).count();
        let names = self.field.names();
        let word = &self.text[start..start + letters];
        // `MONL` is a name and a letter that belongs to the item.
        let last_weekday = self.field == Field::DayOfWeek && letters == 4 && word.ends_with(['L', 'l']);
        let name = if last_weekday { &word[..3] } else { word };
        if let Some(index) = names.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            self.at += name.len();
            return Ok(index as u16 + self.field.range().0);
        }
        if letters == 0 { Err(self.unexpected()) } else { Err(self.unknown_name(start, word)) }
    }

    /// A run of digits; one too long to be any value is the largest number there is.
    fn digits(&mut self) -> Option<u16> {
        let start = self.at;
        let mut value = 0_u16;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.saturating_mul(10).saturating_add(u16::from(digit - b'0'));
            self.at += 1;
        }
        (self.at > start).then_some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes()[..self.item.end].get(self.at).copied()
    }

    fn eat(&mut self, lower: u8) -> bool {
        let eaten = self.peek().is_some_and(|byte| byte.to_ascii_lowercase() == lower);
        self.at += usize::from(eaten);
        eaten
    }

    fn rest(&self) -> &str {
        &self.text[self.at..self.item.end]
    }

    fn source(&self) -> &str {
        &self.text[self.item.clone()]
    }

    fn mistake(&self, kind: CronErrorKind, span: Range<usize>, message: String, help: Option<String>) -> Mistake {
        Mistake { kind, field: Some(self.field), span, message, help }
    }

    fn special(&self, message: &str, help: &str) -> Mistake {
        let message = format!("{} `{}`: {message}", self.field, self.source());
        self.mistake(CronErrorKind::Special, self.item.clone(), message, Some(help.to_owned()))
    }

    fn out_of_range(&self, start: usize, what: &str, (min, max): (u16, u16)) -> Mistake {
        let value = &self.text[start..self.at];
        let (space, field) = (if what.is_empty() { "" } else { ": " }, self.field);
        let help = (field == Field::DayOfMonth && what.is_empty() && value == "0")
            .then(|| "months begin with day 1".to_owned());
        self.mistake(
            CronErrorKind::OutOfRange,
            start..self.at,
            format!("{field}{space}{what} `{value}` is outside {min}-{max}"),
            help,
        )
    }

    /// The item goes on where it should end, or has something that is no value.
    fn unexpected(&self) -> Mistake {
        let field = self.field;
        let source = self.source();
        let rest = self.rest();
        let upper = rest.as_bytes().first().map(u8::to_ascii_uppercase);
        let help = match (field, upper) {
            (Field::DayOfMonth, Some(b'#')) => Some("`n#k` stands in the day of week".to_owned()),
            (Field::DayOfMonth, Some(b'L')) => {
                Some("write `L` for the last day, `L-3` for three days before it".to_owned())
            }
            (Field::DayOfWeek, Some(b'W')) => Some("`W` stands in the day of month".to_owned()),
            (_, Some(b'L' | b'W' | b'#')) => Some("`L`, `W` and `#` stand in the day fields alone".to_owned()),
            (_, Some(b'+')) => Some("a number has no sign".to_owned()),
            (_, None) => Some("a value is missing at the end".to_owned()),
            _ => None,
        };
        let kind =
            if matches!(upper, Some(b'L' | b'W' | b'#')) { CronErrorKind::Special } else { CronErrorKind::Syntax };
        let span = if rest.is_empty() { self.item.clone() } else { self.at..self.item.end };
        let message = if rest.is_empty() || rest == source {
            format!("{field} `{source}` is no value")
        } else {
            format!("{field} `{source}` has `{rest}` where the value should end")
        };
        self.mistake(kind, span, message, help)
    }

    fn unknown_name(&self, start: usize, word: &str) -> Mistake {
        let field = self.field;
        let span = start..start + word.len();
        let is_name = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
        let full = (word.len() > 3)
            .then(|| self.field.names().iter().find(|name| name.eq_ignore_ascii_case(&word[..3])))
            .flatten();
        let special = matches!(word.as_bytes(), [b'L' | b'l' | b'W' | b'w', ..]) && word.len() <= 2;
        let help = if let Some(name) = full {
            Some(format!("names have three letters: write `{name}`"))
        } else if is_name(&MONTH_NAMES) {
            Some("month names stand in the month field".to_owned())
        } else if is_name(&WEEKDAY_NAMES) {
            Some("weekday names stand in the day of week field".to_owned())
        } else if special && field == Field::DayOfWeek {
            Some("write `5L` for the month's last Friday, or `6` for Saturday".to_owned())
        } else if field == Field::DayOfMonth && word.eq_ignore_ascii_case("last") {
            Some("write `L` for the last day".to_owned())
        } else if special && field == Field::DayOfMonth {
            Some("write `15W` for the weekday nearest to the 15th, `LW` for the month's last".to_owned())
        } else if special {
            Some("`L` and `W` stand in the day fields alone".to_owned())
        } else {
            nearest(word, self.field.names().iter().copied()).map(|name| format!("did you mean `{name}`?"))
        };
        let kind = if special { CronErrorKind::Special } else { CronErrorKind::Name };
        let message = match field.names() {
            [] => format!("{field} `{word}` is no number"),
            _ => format!("{field} `{word}` is neither a number nor a name"),
        };
        self.mistake(kind, span, message, help)
    }
}
