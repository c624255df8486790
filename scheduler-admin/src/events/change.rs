//! Something that has happened, as the store's rows tell it.

use axum::response::sse::Event;
use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{SchedulerHandle, execution::Execution, identity::JobId, store::AuditEntry};
use serde::Serialize;

use crate::{audit::AuditView, time};

/// A row that has changed, or an entry of the audit.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Execution(Box<Execution>),
    Audit(Box<AuditEntry>),
}

/// An execution as an event tells it: without what may be long.
#[derive(Debug, Serialize)]
pub(crate) struct ExecutionEvent {
    id: i64,
    job_id: String,
    status: &'static str,
    reason: Option<&'static str>,
    origin: &'static str,
    attempt: u32,
    max_attempts: u32,
    scheduled_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    duration_seconds: Option<f64>,
}

impl Change {
    /// When, by the store's clock.
    pub(super) fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Execution(row) => {
                let instants = [Some(row.created_at), row.started_at, row.finished_at];
                instants.into_iter().flatten().max().unwrap_or(row.created_at)
            }
            Self::Audit(entry) => entry.at,
        }
    }

    pub(super) fn job_id(&self) -> Option<&JobId> {
        match self {
            Self::Execution(row) => Some(&row.job_id),
            Self::Audit(entry) => entry.record.job_id.as_ref(),
        }
    }

    /// What tells it from every other one, on every instance: `<milliseconds>-<kind><row>-<status>`, numbers in hex.
    pub(super) fn id(&self) -> String {
        let millis = self.at().timestamp_millis();
        match self {
            Self::Execution(row) => format!("{millis:x}-e{:x}-{}", row.id.0, row.status),
            Self::Audit(entry) => format!("{millis:x}-a{:x}", entry.id.0),
        }
    }

    /// The instant from which on an event of this id may have been followed by others.
    pub(super) fn read_id(id: &str) -> Option<DateTime<Utc>> {
        let (millis, rest) = id.split_once('-')?;
        let known =
            rest.starts_with(['e', 'a']) && rest.len() <= 64 && rest.bytes().all(|byte| byte.is_ascii_graphic());
        let millis = i64::from_str_radix(millis, 16).ok().filter(|millis| known && *millis >= 0)?;
        let at = DateTime::from_timestamp_millis(millis)?;
        // Room for what the store's reader takes off it.
        at.checked_sub_signed(TimeDelta::days(1)).map(|_| at)
    }

    pub(super) fn event(&self, handle: &SchedulerHandle) -> Event {
        let event = Event::default().id(self.id());
        let (name, data) = match self {
            Self::Execution(row) => ("execution", serde_json::to_string(&ExecutionEvent::of(handle, row))),
            Self::Audit(entry) => ("audit", serde_json::to_string(&AuditView::of(handle, (**entry).clone()))),
        };
        event.event(name).data(data.expect("text keys and finite numbers are always JSON"))
    }
}

impl ExecutionEvent {
    fn of(handle: &SchedulerHandle, row: &Execution) -> Self {
        let zone = time::zone_of(handle, &row.job_id);
        let time = |at| time::text_in(at, zone);
        Self {
            id: row.id.0,
            job_id: row.job_id.to_string(),
            status: row.status.as_str(),
            reason: row.reason.map(|reason| reason.as_str()),
            origin: row.origin.as_str(),
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            scheduled_at: time(row.scheduled_at),
            started_at: row.started_at.map(time),
            finished_at: row.finished_at.map(time),
            duration_seconds: row.duration_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_no_event_had_is_none() {
        let at = Change::read_id("19a4463d000-e1f-running").expect("an instant");
        assert_eq!(at.timestamp_millis(), 0x19a_4463_d000);
        let long = format!("1-e{}", "1".repeat(64));
        for id in [
            "",
            "1",
            "-e1",
            "x-e1-running",
            "-1-e1",
            "1-",
            "1-b1",
            "ffffffffffffffff-e1",
            "7fffffffffffffff-e1",
            "1-e\n",
            &long,
        ] {
            assert_eq!(Change::read_id(id), None, "{id}");
        }
    }
}
