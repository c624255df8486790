//! Due at the times that cron expressions name in a zone.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::TriggerError;
use crate::clock_changes::{ClockChangePolicy, FoldPolicy, GapPolicy};
use crate::describe::{Language, in_zone};
use crate::expr::CronExpr;
use crate::hazard::Hazard;

/// One or several expressions in one zone; an instant that several name is one occurrence.
#[derive(Debug, Clone, PartialEq)]
pub struct CronTrigger {
    exprs: Exprs,
    zone: Tz,
    clock_changes: ClockChangePolicy,
}

/// Nearly every trigger has one expression: it costs no allocation.
#[derive(Debug, Clone, PartialEq)]
enum Exprs {
    One(CronExpr),
    Several(Arc<[CronExpr]>),
}

impl CronTrigger {
    /// A trigger of one expression.
    ///
    /// # Errors
    ///
    /// An expression that never fires.
    pub fn new(expr: CronExpr, zone: Tz) -> Result<CronTrigger, TriggerError> {
        CronTrigger::union([expr], zone)
    }

    /// A trigger of several expressions, due whenever one of them is.
    ///
    /// # Errors
    ///
    /// No expression, or one that never fires.
    pub fn union(exprs: impl IntoIterator<Item = CronExpr>, zone: Tz) -> Result<CronTrigger, TriggerError> {
        let exprs: Vec<CronExpr> = exprs.into_iter().collect();
        if let Some(never) = exprs.iter().find(|expr| expr.never_fires()) {
            return Err(TriggerError::NeverFires(*never));
        }
        let exprs = match exprs[..] {
            [] => return Err(TriggerError::NoExpression),
            [expr] => Exprs::One(expr),
            _ => Exprs::Several(exprs.into()),
        };
        Ok(CronTrigger { exprs, zone, clock_changes: ClockChangePolicy::default() })
    }

    /// Decides what happens at clock changes, instead of each expression's class.
    pub fn with_clock_changes(self, clock_changes: ClockChangePolicy) -> CronTrigger {
        CronTrigger { clock_changes, ..self }
    }

    /// The expressions, in the order given.
    pub fn exprs(&self) -> &[CronExpr] {
        match &self.exprs {
            Exprs::One(expr) => std::slice::from_ref(expr),
            Exprs::Several(exprs) => exprs,
        }
    }

    /// The zone whose clock the expressions follow.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// What happens at clock changes.
    pub fn clock_changes(&self) -> ClockChangePolicy {
        self.clock_changes
    }

    /// The first occurrence strictly after an instant.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.exprs().iter().filter_map(|expr| expr.next_after_with(after, &self.zone, self.clock_changes)).min()
    }

    /// The last occurrence strictly before an instant.
    pub fn prev_before(&self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.exprs().iter().filter_map(|expr| expr.prev_before_with(before, &self.zone, self.clock_changes)).max()
    }

    /// The expressions in words, with the zone.
    pub fn describe(&self, language: Language) -> String {
        let exprs: Vec<String> = self.exprs().iter().map(|expr| expr.describe(language)).collect();
        exprs.join("; ") + &in_zone(language, self.zone.name())
    }

    /// The clock changes that the expressions meet, from one instant, included, to another, not included.
    pub fn hazards(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Hazard> {
        let hazards = |expr: &CronExpr| expr.hazards(&self.zone, from, to, self.clock_changes);
        self.exprs().iter().flat_map(hazards).collect()
    }

    /// Whether the instant is an occurrence.
    pub fn covers(&self, instant: DateTime<Utc>) -> bool {
        self.exprs().iter().any(|expr| expr.covers_with(instant, &self.zone, self.clock_changes))
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
            None => Ok(()),
            Some(FoldPolicy::First) => f.write_str(" fold=first"),
            Some(FoldPolicy::Last) => f.write_str(" fold=last"),
            Some(FoldPolicy::Both) => f.write_str(" fold=both"),
        }
    }
}
