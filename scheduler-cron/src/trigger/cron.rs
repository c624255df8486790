//! Due at the times that cron expressions name in a zone.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::TriggerError;
use crate::calendar::Calendar;
use crate::civil::DAY;
use crate::clock_changes::{ClockChangePolicy, FoldPolicy, GapPolicy};
use crate::describe::{Language, in_zone};
use crate::expr::CronExpr;
use crate::hazard::Hazard;
use crate::zone::{NamedZone, Zone};

/// One or several expressions in one zone; an instant that several name is one occurrence.
#[derive(Debug, Clone, PartialEq)]
pub struct CronTrigger {
    exprs: Exprs,
    zone: NamedZone,
    clock_changes: ClockChangePolicy,
}

/// Nearly every trigger has one expression: it costs no allocation.
#[derive(Debug, Clone, PartialEq)]
enum Exprs {
    One(CronExpr),
    Several(Arc<Several>),
}

/// What few triggers have.
#[derive(Debug, Clone, PartialEq)]
struct Several {
    exprs: Vec<CronExpr>,
    except: Option<Arc<Calendar>>,
}

impl CronTrigger {
    /// A trigger of one expression.
    ///
    /// # Errors
    ///
    /// An expression that never fires.
    pub fn new(expr: CronExpr, zone: impl Into<NamedZone>) -> Result<CronTrigger, TriggerError> {
        CronTrigger::union([expr], zone)
    }

    /// A trigger of several expressions, due whenever one of them is.
    ///
    /// # Errors
    ///
    /// No expression, or one that never fires.
    pub fn union(
        exprs: impl IntoIterator<Item = CronExpr>,
        zone: impl Into<NamedZone>,
    ) -> Result<CronTrigger, TriggerError> {
        let exprs: Vec<CronExpr> = exprs.into_iter().collect();
        if let Some(never) = exprs.iter().find(|expr| expr.never_fires()) {
            return Err(TriggerError::NeverFires(*never));
        }
        let exprs = match exprs[..] {
            [] => return Err(TriggerError::NoExpression),
            [expr] => Exprs::One(expr),
            _ => Exprs::Several(Arc::new(Several { exprs, except: None })),
        };
        Ok(CronTrigger { exprs, zone: zone.into(), clock_changes: ClockChangePolicy::default() })
    }

    /// Decides what happens at clock changes, instead of each expression's class.
    pub fn with_clock_changes(self, clock_changes: ClockChangePolicy) -> CronTrigger {
        CronTrigger { clock_changes, ..self }
    }

    /// Takes the days of a calendar out: what falls on one of them, by the zone's date, does not occur.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_cron::{Calendar, CronExpr, CronTrigger, parse_zone};
    ///
    /// let holidays = Calendar::parse("id-holidays", "*-08-17 Proklamasi Kemerdekaan")?;
    /// let trigger = CronTrigger::new(CronExpr::parse("30 0 * * *")?, parse_zone("Asia/Jakarta")?)?.except(Arc::new(holidays))?;
    /// let next = trigger.next_after("2026-08-16T12:00:00Z".parse()?);
    /// assert_eq!(next, Some("2026-08-17T17:30:00Z".parse()?)); // the 18th in Jakarta
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A calendar that leaves no occurrence at all.
    pub fn except(self, calendar: Arc<Calendar>) -> Result<CronTrigger, TriggerError> {
        let exprs = self.exprs().to_vec();
        let name = calendar.name().to_owned();
        let exprs = Exprs::Several(Arc::new(Several { exprs, except: Some(calendar) }));
        let trigger = CronTrigger { exprs, ..self };
        match trigger.next_after(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(trigger),
            None => Err(TriggerError::Excluded(name)),
        }
    }

    /// The calendar whose days are taken out.
    pub fn exception(&self) -> Option<&Calendar> {
        match &self.exprs {
            Exprs::One(_) => None,
            Exprs::Several(several) => several.except.as_deref(),
        }
    }

    /// The expressions, in the order given.
    pub fn exprs(&self) -> &[CronExpr] {
        match &self.exprs {
            Exprs::One(expr) => std::slice::from_ref(expr),
            Exprs::Several(several) => &several.exprs,
        }
    }

    /// The zone whose clock the expressions follow.
    pub fn zone(&self) -> NamedZone {
        self.zone
    }

    /// What happens at clock changes.
    pub fn clock_changes(&self) -> ClockChangePolicy {
        self.clock_changes
    }

    /// The first occurrence strictly after an instant.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut after = after;
        loop {
            let next = |expr: &CronExpr| expr.next_after_with(after, self.zone, self.clock_changes);
            let found = self.exprs().iter().filter_map(next).min()?;
            match self.excluded_day(found) {
                None => return Some(found),
                // Nothing else of that day needs to be looked at.
                Some((_, last_second)) => after = found.max(last_second),
            }
        }
    }

    /// The last occurrence strictly before an instant.
    pub fn prev_before(&self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut before = before;
        loop {
            let previous = |expr: &CronExpr| expr.prev_before_with(before, self.zone, self.clock_changes);
            let found = self.exprs().iter().filter_map(previous).max()?;
            match self.excluded_day(found) {
                None => return Some(found),
                Some((first_second, _)) => before = found.min(first_second),
            }
        }
    }

    /// If the instant's day is taken out: instants within it from which and until which the clock is not changed.
    fn excluded_day(&self, instant: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let calendar = self.exception()?;
        let span = self.zone.span_at(instant.timestamp());
        let wall = instant.timestamp() + i64::from(span.offset);
        calendar.excludes(DateTime::from_timestamp(wall, 0)?.date_naive())?;
        let midnight = wall.div_euclid(DAY) * DAY - i64::from(span.offset);
        // A clock change within the day gives its other part another midnight.
        let (first, last) = (midnight.max(span.from), (midnight + DAY - 1).min(span.until - 1));
        Some((DateTime::from_timestamp(first, 0)?, DateTime::from_timestamp(last, 0)?))
    }

    /// The expressions in words, with the zone.
    pub fn describe(&self, language: Language) -> String {
        let mut words = String::new();
        for expr in self.exprs() {
            let told = expr.describe(language);
            if words.is_empty() {
                words = told;
            } else {
                // One sentence: only its first word is capitalized.
                words += "; ";
                words.extend(told.chars().take(1).map(|first| first.to_ascii_lowercase()));
                words.extend(told.chars().skip(1));
            }
        }
        if let Some(calendar) = self.exception() {
            words += match language {
                Language::English => ", except on days of ",
                Language::Indonesian => ", kecuali hari dalam ",
            };
            words += calendar.name();
        }
        words + &in_zone(language, self.zone.name())
    }

    /// The clock changes that the expressions meet, from one instant, included, to another, not included, in their order; none of a day
    /// that is taken out.
    pub fn hazards(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Hazard> {
        let met = |expr: &CronExpr| expr.hazards_with(self.zone, from, to, self.clock_changes);
        let mut hazards: Vec<Hazard> = self.exprs().iter().flat_map(met).collect();
        if let Some(calendar) = self.exception() {
            hazards.retain(|hazard| calendar.excludes(hazard.first_run().date()).is_none());
        }
        hazards.sort_by_key(|hazard| hazard.changes_at);
        hazards
    }

    /// Whether the instant is an occurrence.
    pub fn covers(&self, instant: DateTime<Utc>) -> bool {
        self.excluded_day(instant).is_none()
            && self.exprs().iter().any(|expr| expr.covers_with(instant, self.zone, self.clock_changes))
    }
}

/// `30 0 * * * Asia/Jakarta`; several expressions are joined by ` | `, a policy stands at the end.
impl fmt::Display for CronTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, expr) in self.exprs().iter().enumerate() {
            let between = if index == 0 { "" } else { " | " };
            write!(f, "{between}{expr}")?;
        }
        write!(f, " {}", self.zone.name())?;
        match self.clock_changes.gap {
            None => {}
            Some(GapPolicy::Shift) => f.write_str(" gap=shift")?,
            Some(GapPolicy::Skip) => f.write_str(" gap=skip")?,
        }
        match self.clock_changes.fold {
            None => {}
            Some(FoldPolicy::First) => f.write_str(" fold=first")?,
            Some(FoldPolicy::Last) => f.write_str(" fold=last")?,
            Some(FoldPolicy::Both) => f.write_str(" fold=both")?,
        }
        match self.exception() {
            None => Ok(()),
            Some(calendar) => write!(f, " except={}", calendar.name()),
        }
    }
}
