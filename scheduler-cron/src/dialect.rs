//! Expressions that were written for another scheduler, and what becomes of their meaning here.

use std::ops::Range;

use crate::error::{CronError, CronErrorKind, Mistake};
use crate::expr::{CronExpr, Flags};
use crate::field::{Field, WEEKDAY_NAMES};

mod apscheduler;
#[cfg(feature = "quartz")]
mod quartz;

/// Whose grammar an expression is written in.
///
/// | | fields | 1 in the day of week | both day fields restricted | `5/10` |
/// | --- | --- | --- | --- | --- |
/// | [`Posix`](Dialect::Posix) | 5, 6 or 7 | Monday | either matches | refused |
/// | [`Apscheduler`](Dialect::Apscheduler) | 5 | Tuesday | both match | from 5 on |
/// | `Quartz` (feature `quartz`) | 6 or 7 | Sunday | both match | from 5 on |
///
/// All of them follow the same rules where clocks change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// The grammar of [`CronExpr::parse`].
    #[default]
    Posix,
    /// What `CronTrigger.from_crontab` of APScheduler 3 takes: 0 is Monday.
    Apscheduler,
    /// What the `cron` crate takes: seconds first, the year perhaps last, 1 is Sunday.
    #[cfg(feature = "quartz")]
    Quartz,
}

impl CronExpr {
    /// Reads an expression of another dialect.
    ///
    /// ```
    /// use scheduler_cron::{CronExpr, Dialect};
    ///
    /// let expr = CronExpr::parse_dialect("30 0 * * 0", Dialect::Apscheduler)?;
    /// assert_eq!(expr, CronExpr::parse("30 0 * * MON")?);
    /// # Ok::<(), scheduler_cron::CronError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever the dialect refuses, told as [`CronExpr::parse`] tells it.
    pub fn parse_dialect(text: &str, dialect: Dialect) -> Result<CronExpr, CronError> {
        match dialect {
            Dialect::Posix => CronExpr::parse(text),
            Dialect::Apscheduler => apscheduler::parse(text),
            #[cfg(feature = "quartz")]
            Dialect::Quartz => quartz::parse(text),
        }
    }

    /// The expression that means the same in the grammar of [`CronExpr::parse`], as text.
    ///
    /// Two day fields that must both match have such a form where the days are whole weeks of the month: the first seven days, if they are
    /// a Monday, are `1#1`.
    ///
    /// ```
    /// use scheduler_cron::{CronExpr, Dialect};
    ///
    /// let expr = CronExpr::parse_dialect("0 8 1-7 * 0", Dialect::Apscheduler)?;
    /// assert_eq!(expr.to_posix()?, "0 8 * * 1#1");
    /// let expr = CronExpr::parse_dialect("0 8 13 * 4", Dialect::Apscheduler)?;
    /// assert!(expr.to_posix().is_err());
    /// # Ok::<(), scheduler_cron::CronError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CronErrorKind::Untranslatable`], with the reason.
    pub fn to_posix(&self) -> Result<String, CronError> {
        if !self.flags.has(Flags::BOTH_DAYS) {
            return Ok(self.to_string());
        }
        match self.whole_weeks() {
            Some(weeks) => Ok(weeks.to_string()),
            None => Err(self.untranslatable()),
        }
    }

    /// An equal expression of "the n-th weekday of the month" alone, if the days of the month are whole weeks.
    fn whole_weeks(&self) -> Option<CronExpr> {
        let named = SpecialFree::of(self)?;
        let mut expr = *self;
        let mut left = named.days;
        for week in 0..5_u16 {
            // The fifth has the days that are left, 29 to 31.
            let seven_days = (((1_u64 << 7) - 1) << (week * 7 + 1)) as u32;
            if left & seven_days == seven_days {
                left &= !seven_days;
                expr.special.nth_weekday[usize::from(week)] = named.weekdays;
            } else if left & seven_days != 0 {
                return None;
            }
        }
        expr.weekdays = 0;
        expr.days = crate::expr::ALL_DAYS;
        expr.flags.set(Flags::ANY_DAY, true);
        expr.normalize();
        Some(expr)
    }

    fn untranslatable(&self) -> CronError {
        let text = self.to_string();
        let day_field = text.split(' ').count() - 3 - usize::from(self.years != crate::expr::Years::ALL);
        let start: usize = text.split(' ').take(day_field).map(|field| field.len() + 1).sum();
        let span = start..text.trim_ascii_end().len();
        let mistake = Mistake {
            kind: CronErrorKind::Untranslatable,
            field: None,
            span,
            message: "both day fields must match, and cron has only \"either\" where both are restricted".to_owned(),
            help: Some(
                "restrict one day field, and let the job return at once on a day that the other would not match"
                    .to_owned(),
            ),
        };
        CronError::new(&text, mistake)
    }
}

/// The two day fields of an expression without days that depend on the month.
struct SpecialFree {
    days: u32,
    weekdays: u8,
}

impl SpecialFree {
    fn of(expr: &CronExpr) -> Option<SpecialFree> {
        (!expr.flags.has(Flags::SPECIAL)).then_some(SpecialFree { days: expr.days, weekdays: expr.weekdays })
    }
}

/// A weekday written as a number, which schedulers read as different days.
///
/// It prints as a warning for the author of the expression.
///
/// ```
/// use scheduler_cron::lint_weekdays;
///
/// let lint = lint_weekdays("0 9 * * 1-5").expect("numbers");
/// assert_eq!((lint.span(), lint.suggestion()), (8..11, "MON-FRI"));
/// assert_eq!(
///     lint.to_string(),
///     "`1-5` is MON-FRI here, but SUN-THU in Quartz and TUE-SAT in APScheduler: write `MON-FRI`"
/// );
/// assert_eq!(lint_weekdays("0 9 * * MON-FRI"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekdayLint {
    numbers: String,
    span: Range<usize>,
    suggestion: String,
    quartz: Option<String>,
    apscheduler: Option<String>,
}

impl WeekdayLint {
    /// Where the day of week stands, as bytes of the expression.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The field with names for its numbers.
    pub fn suggestion(&self) -> &str {
        &self.suggestion
    }
}

impl std::fmt::Display for WeekdayLint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let WeekdayLint { numbers, suggestion, .. } = self;
        let or_nothing = |other: &Option<String>| other.clone().unwrap_or_else(|| "refused".to_owned());
        let (quartz, apscheduler) = (or_nothing(&self.quartz), or_nothing(&self.apscheduler));
        write!(
            f,
            "`{numbers}` is {suggestion} here, but {quartz} in Quartz and {apscheduler} in APScheduler: write `{suggestion}`"
        )
    }
}

/// Finds numbers in the day of week of a valid expression. Steps count days, and are left alone.
pub fn lint_weekdays(text: &str) -> Option<WeekdayLint> {
    CronExpr::parse(text).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let field = *fields.get(if fields.len() == 5 { 4 } else { 5 })?;
    let start = field.as_ptr() as usize - text.as_ptr() as usize;
    let suggestion = renamed(field, |day| Some(day % 7))?;
    let differs = suggestion != field;
    differs.then(|| WeekdayLint {
        numbers: field.to_owned(),
        span: start..start + field.len(),
        suggestion,
        quartz: renamed(field, |day| (1..=7).contains(&day).then(|| day - 1)),
        apscheduler: renamed(field, |day| (day < 7).then(|| (day + 1) % 7)),
    })
}

/// The field with names for its weekday numbers, as `weekday` counts them.
fn renamed(field: &str, weekday: impl Fn(u8) -> Option<u8>) -> Option<String> {
    let items: Option<Vec<String>> = field.split(',').map(|item| renamed_item(item, &weekday)).collect();
    Some(items?.join(","))
}

fn renamed_item(item: &str, weekday: impl Fn(u8) -> Option<u8>) -> Option<String> {
    // What follows is a step or a turn in the month, and no day.
    let (days, rest) = item.split_at(item.find(['/', '#']).unwrap_or(item.len()));
    let number = |day: &str| day.trim_end_matches(['L', 'l']).parse::<u8>().ok();
    let name = |day: &str| match number(day) {
        Some(number) => {
            let letters = day.trim_start_matches(|c: char| c.is_ascii_digit());
            Some(format!("{}{letters}", WEEKDAY_NAMES[usize::from(weekday(number)?)]))
        }
        None => Some(day.to_owned()),
    };
    let Some((first, last)) = days.split_once('-') else { return Some(name(days)? + rest) };
    let (first_name, last_name) = (name(first)?, name(last)?);
    // From the first Sunday to the second, `0-7`, is the whole week; by name it would be one day.
    let whole_week = first_name.eq_ignore_ascii_case(&last_name) && number(last) == Some(7) && number(first) != Some(7);
    Some(format!("{first_name}-{}{rest}", if whole_week { "SAT" } else { &last_name }))
}

/// The spans of the fields, if there is an allowed number of them.
fn fields<'a>(
    text: &str,
    allowed: &[&'a [Field]],
    counts: &str,
    help: &str,
) -> Result<Vec<(&'a Field, Range<usize>)>, Mistake> {
    let spans: Vec<Range<usize>> = text
        .split_ascii_whitespace()
        .map(|field| {
            let start = field.as_ptr() as usize - text.as_ptr() as usize;
            start..start + field.len()
        })
        .collect();
    let Some(names) = allowed.iter().find(|names| names.len() == spans.len()) else {
        let end = text.trim_ascii_end().len();
        let fields = if spans.len() == 1 { "field" } else { "fields" };
        let message = format!("{} {fields}, where there are {counts}", spans.len());
        let help = Some(help.to_owned());
        return Err(Mistake { kind: CronErrorKind::FieldCount, field: None, span: end..end, message, help });
    };
    Ok(names.iter().zip(spans).collect())
}

#[cfg(test)]
mod tests;
