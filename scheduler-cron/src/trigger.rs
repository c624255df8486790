//! The rule that decides when a job is due.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::describe::Language;
use crate::duration::format_duration;
use crate::error::CronError;
use crate::expr::CronExpr;
use crate::zone::NamedZone;

mod cron;
mod every;
mod text;

pub use cron::CronTrigger;
pub use every::EveryTrigger;

/// When a job is due: by a cron expression, at an interval, once, after other jobs, or only when somebody asks.
///
/// ```
/// use scheduler_cron::{Trigger, parse_zone};
///
/// let trigger = Trigger::cron("30 0 * * *", parse_zone("Asia/Jakarta")?)?;
/// assert_eq!(trigger.to_string(), "30 0 * * * Asia/Jakarta");
/// assert_eq!(trigger.next_after("2025-11-02T12:00:00Z".parse()?), Some("2025-11-02T17:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Trigger {
    /// At the times that one or several cron expressions name in a zone.
    Cron(CronTrigger),
    /// Each time a period has passed since an anchor.
    Every(EveryTrigger),
    /// Once, at an instant.
    At(DateTime<Utc>),
    /// When an occurrence of each of these jobs has succeeded.
    After(Arc<[Box<str>]>),
    /// Never by itself.
    Manual,
}

/// Why a trigger can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// A cron expression is wrong.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// A cron expression names no date at all.
    #[error("`{0}` never fires: no month it names has such a day")]
    NeverFires(CronExpr),
    /// A calendar takes out every day that the expressions name.
    #[error("nothing is left to be due: calendar `{0}` takes out every day that is named")]
    Excluded(String),
    /// A union of no expression.
    #[error("a cron trigger needs at least one expression")]
    NoExpression,
    /// A period of zero, or one that is not whole milliseconds, or that reaches beyond the calendar.
    #[error("a period of {0:?} is not possible: it must be whole milliseconds, at least one and at most 200 years")]
    Period(Duration),
    /// A text that is no trigger's, or does not say all of one.
    #[error("`{0}` can't be read as a trigger")]
    Text(String),
    /// A job that runs after no job.
    #[error("a trigger `after` needs at least one job id")]
    NoUpstream,
}

impl Trigger {
    /// Due at the times an expression names in a zone.
    ///
    /// # Errors
    ///
    /// An expression that is wrong, or one that never fires.
    pub fn cron(expr: &str, zone: impl Into<NamedZone>) -> Result<Trigger, TriggerError> {
        Ok(Trigger::Cron(CronTrigger::new(CronExpr::parse(expr)?, zone)?))
    }

    /// Due each time the period has passed since the Unix epoch, so that instances and restarts agree.
    ///
    /// # Errors
    ///
    /// A period that is zero or not whole milliseconds.
    pub fn every(period: Duration) -> Result<Trigger, TriggerError> {
        Ok(Trigger::Every(EveryTrigger::new(period)?))
    }

    /// Due once.
    pub fn at(instant: DateTime<Utc>) -> Trigger {
        Trigger::At(instant)
    }

    /// Due when an occurrence of each of these jobs has succeeded.
    ///
    /// # Errors
    ///
    /// No job id.
    pub fn after(jobs: impl IntoIterator<Item = impl Into<Box<str>>>) -> Result<Trigger, TriggerError> {
        let jobs: Arc<[Box<str>]> = jobs.into_iter().map(Into::into).collect();
        if jobs.is_empty() { Err(TriggerError::NoUpstream) } else { Ok(Trigger::After(jobs)) }
    }

    /// The first occurrence strictly after an instant.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Trigger::Cron(cron) => cron.next_after(after),
            Trigger::Every(every) => every.next_after(after),
            Trigger::At(at) => Some(*at).filter(|&at| at > after),
            Trigger::After(_) | Trigger::Manual => None,
        }
    }

    /// The last occurrence strictly before an instant.
    pub fn prev_before(&self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Trigger::Cron(cron) => cron.prev_before(before),
            Trigger::Every(every) => every.prev_before(before),
            Trigger::At(at) => Some(*at).filter(|&at| at < before),
            Trigger::After(_) | Trigger::Manual => None,
        }
    }

    /// All occurrences strictly after an instant, in order.
    pub fn upcoming(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + use<'_> {
        std::iter::successors(self.next_after(after), |&last| self.next_after(last))
    }

    /// The occurrences after `from`, up to and including `to`.
    pub fn occurrences_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> + use<'_> {
        self.upcoming(from).take_while(move |&at| at <= to)
    }

    /// Whether the instant is an occurrence.
    pub fn covers(&self, instant: DateTime<Utc>) -> bool {
        match self {
            Trigger::Cron(cron) => cron.covers(instant),
            Trigger::Every(every) => every.covers(instant),
            Trigger::At(at) => *at == instant,
            Trigger::After(_) | Trigger::Manual => false,
        }
    }

    /// The trigger in words, with its zone.
    ///
    /// ```
    /// use scheduler_cron::{Language, Trigger, parse_zone};
    ///
    /// let trigger = Trigger::cron("30 0 * * *", parse_zone("Asia/Jakarta")?)?;
    /// assert_eq!(trigger.describe(Language::English), "At 00:30 every day, Asia/Jakarta time");
    /// assert_eq!(trigger.describe(Language::Indonesian), "Setiap hari pukul 00.30, waktu Asia/Jakarta");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(&self, language: Language) -> String {
        let english = language == Language::English;
        match self {
            Trigger::Cron(cron) => cron.describe(language),
            Trigger::Every(every) if english => format!("Every {}", format_duration(every.period())),
            Trigger::Every(every) => format!("Setiap {}", format_duration(every.period())),
            Trigger::At(at) => {
                let at = at.format("%Y-%m-%d %H:%M:%S UTC");
                if english { format!("Once, at {at}") } else { format!("Sekali, pada {at}") }
            }
            Trigger::After(jobs) if english => format!("After {} succeeded", jobs.join(", ")),
            Trigger::After(jobs) => format!("Setelah {} berhasil", jobs.join(", ")),
            Trigger::Manual if english => "Only on request".to_owned(),
            Trigger::Manual => "Hanya atas permintaan".to_owned(),
        }
    }

    /// The zone whose clock the trigger follows, if it follows one.
    pub fn zone(&self) -> Option<NamedZone> {
        match self {
            Trigger::Cron(cron) => Some(cron.zone()),
            _ => None,
        }
    }
}

/// `30 0 * * * Asia/Jakarta`, `every 5m`, `at 2026-01-01T00:00:00Z`, `after extract, load`, `manual`.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::Cron(cron) => cron.fmt(f),
            Trigger::Every(every) => every.fmt(f),
            Trigger::At(at) => write!(f, "at {}", at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Trigger::After(jobs) => write!(f, "after {}", jobs.join(", ")),
            Trigger::Manual => f.write_str("manual"),
        }
    }
}

impl From<CronTrigger> for Trigger {
    fn from(cron: CronTrigger) -> Trigger {
        Trigger::Cron(cron)
    }
}

impl From<EveryTrigger> for Trigger {
    fn from(every: EveryTrigger) -> Trigger {
        Trigger::Every(every)
    }
}

#[cfg(test)]
mod tests;
