//! Instants in requests and answers.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use scheduler_core::{SchedulerHandle, identity::JobId};
use scheduler_cron::NamedZone;

/// What an instant must be.
pub(crate) const FORM: &str = "must be an instant with its offset, such as `2025-11-03T00:30:00+07:00`";

/// Reads RFC 3339. A leap second is none that a trigger names.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    (at.timestamp_subsec_nanos() < 1_000_000_000).then(|| at.with_timezone(&Utc))
}

/// RFC 3339 with the zone's offset then, with as many decimals as the instant has (`2025-11-03T00:30:00+07:00`).
pub(crate) fn text<Z: TimeZone>(at: &DateTime<Z>) -> String
where
    Z::Offset: std::fmt::Display,
{
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The same, of an instant seen in a zone.
pub(crate) fn text_in(at: DateTime<Utc>, zone: NamedZone) -> String {
    text(&at.with_timezone(&zone))
}

/// The zone in which a job's instants are shown: UTC where this instance does not have the job.
pub(crate) fn zone_of(handle: &SchedulerHandle, job_id: &JobId) -> NamedZone {
    handle.definition(job_id).map_or(NamedZone::UTC, |job| job.settings().zone())
}
