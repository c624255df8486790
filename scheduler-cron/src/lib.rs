//! When a job is due: cron expressions, time zones and the next occurrence.
//!
//! ```
//! use scheduler_cron::{CronExpr, parse_zone};
//!
//! let expr = CronExpr::parse("30 0 * * *")?;
//! let jakarta = parse_zone("Asia/Jakarta")?;
//! let next = expr.next_after("2025-11-02T12:00:00Z".parse()?, jakarta);
//! assert_eq!(next, Some("2025-11-02T17:30:00Z".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate is pure: it reads no clock, and no file unless the feature `system-tz` is asked to. An answer is always later than its question, and the occurrences of an
//! expression strictly grow, whatever the zone's clock does.
//!
//! | feature | |
//! | --- | --- |
//! | `quartz` | expressions of services that used the `cron` crate |
//! | `system-tz` | the machine's zone data instead of the one in the binary |
//!
//! The grammar, the rules at clock changes and the differences from other engines are told in `docs/cron.md`.

mod calendar;
mod canonical;
mod civil;
mod clock_changes;
mod days;
mod describe;
mod dialect;
mod duration;
mod error;
mod expr;
mod field;
mod hazard;
mod instant;
mod nearest;
mod occurrences;
mod parse;
mod trigger;
mod wall;
mod zone;

pub use calendar::{Calendar, CalendarError};
pub use clock_changes::{ClockChangePolicy, FoldPolicy, GapPolicy};
pub use describe::Language;
pub use dialect::{Dialect, WeekdayLint, lint_weekdays};
pub use duration::{DurationError, format_duration, parse_duration};
pub use error::{CronError, CronErrorKind};
pub use expr::CronExpr;
pub use field::Field;
pub use hazard::{Hazard, HazardEffect};
pub use instant::{InstantError, parse_instant};
pub use nearest::nearest;
pub use trigger::{CronTrigger, EveryTrigger, Trigger, TriggerError};
pub use zone::{NamedZone, Span, Zone, ZoneData, ZoneError, ZoneOffset, parse_zone, zone_data_version};
#[cfg(feature = "system-tz")]
pub use zone::{SystemZone, SystemZoneError, SystemZones};

/// The examples of the guide are tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cron.md")]
mod guide {}
