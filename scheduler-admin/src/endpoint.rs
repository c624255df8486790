//! The endpoints: which permission each needs, what it takes, does and answers. The router and the OpenAPI document are
//! made from this table alone.

mod parameter;

use axum::routing::{MethodRouter, any, get, post};
use scheduler_core::{logs::LogLevel, occurrence::Origin, status::Status, store::Action};

pub(crate) use parameter::{Kind, Parameter, Place};
use parameter::{body, header, needed, query};

use crate::{
    Permission,
    api::Api,
    attempt,
    audit::{self, AuditView},
    backfill::{self, BackfillView},
    error::{ApiError, Code},
    events,
    execution::{self, ExecutionView, RequestedView},
    instance::{self, InstanceView},
    job::{self, JobView},
    logs::{self, LogsView},
    occurrence::{self, OccurrenceView},
    openapi::{self, Data},
    pause::{self, PausedView},
    trigger,
};

/// An endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Below the prefix.
    pub(crate) path: &'static str,
    /// What the caller must be allowed.
    pub(crate) permission: Permission,
    /// What it does, if it changes something: what the audit calls it.
    pub(crate) action: Option<Action>,
    /// Its handler.
    pub(crate) handler: fn() -> MethodRouter<Api>,
    /// What it does, in words.
    pub(crate) about: &'static str,
    /// What it takes beside its path.
    pub(crate) takes: &'static [Parameter],
    /// With which statuses it answers what was asked for.
    pub(crate) statuses: &'static [u16],
    /// What that is.
    pub(crate) data: Data,
    /// Why it may not do what is asked.
    pub(crate) conflicts: &'static [Code],
}

/// The parameters of pages.
const LIMIT: Parameter = query("limit", Kind::Number(1, 100), "how many; 20 unless given");
const PAGE: Parameter = query("page", Kind::Number(1, 1 << 40), "which page; 1 unless given, and not with `cursor`");
const CURSOR: Parameter = query("cursor", Kind::Text, "a page's `next_cursor`, with the same filters");
const FROM: Parameter = query("from", Kind::Instant, "made at or after");
const TO: Parameter = query("to", Kind::Instant, "made before");
const STATUS: Parameter = query("status", Kind::Words(statuses), "with one of these statuses");
const ORIGIN: Parameter = query("origin", Kind::Words(origins), "with one of these origins");
const INSTANCE: Parameter = query("instance", Kind::Uuid, "run by this instance");
const ACTOR: Parameter = query("actor", Kind::Text, "by this caller");
const JOB: Parameter = query("job", Kind::JobId, "of this job");
const ACTION: Parameter = query("action", Kind::Words(actions), "of one of these actions");
const REASON: Parameter = body("reason", Kind::Line(1_000), "why, for the audit");

/// All endpoints.
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::reads("/", "all jobs of this instance, by id", || get(job::list), openapi::list::<JobView>),
    Endpoint::reads("/{job_id}", "one job", || get(job::one), openapi::one::<JobView>),
    Endpoint::reads(
        "/{job_id}/history",
        "a job's executions, newest first",
        || get(execution::history),
        openapi::page::<ExecutionView>,
    )
    .taking(&[PAGE, LIMIT, CURSOR, STATUS, ORIGIN, INSTANCE, ACTOR, FROM, TO]),
    Endpoint::reads(
        "/{job_id}/next",
        "the instants that a job's trigger names next",
        || get(occurrence::next),
        openapi::list::<OccurrenceView>,
    )
    .taking(&[query("count", Kind::Number(1, 1_000), "how many; 10 unless given")]),
    Endpoint::reads(
        "/executions/recent",
        "executions of all jobs, newest first",
        || get(execution::recent),
        openapi::page::<ExecutionView>,
    )
    .taking(&[
        PAGE,
        LIMIT,
        CURSOR,
        STATUS,
        ORIGIN,
        JOB,
        INSTANCE,
        ACTOR,
        FROM,
        TO,
        query("hours", Kind::Number(1, 168), "of the last hours; 24 unless `from` is given"),
    ]),
    Endpoint::reads("/executions/{id}", "one execution", || get(execution::one), openapi::one::<ExecutionView>),
    Endpoint::reads(
        "/executions/{id}/logs",
        "what an execution logged, its first line first",
        || get(logs::list),
        openapi::one::<LogsView>,
    )
    .taking(&[
        query("after", Kind::Number(0, i64::MAX as u64), "lines after this number, as of the last line that was read"),
        query("limit", Kind::Number(1, 1_000), "how many; 100 unless given"),
        query("level", Kind::Word(levels), "of this level and more severe ones"),
    ]),
    Endpoint::reads(
        "/instances",
        "the instances that share the store, newest heartbeat first",
        || get(instance::list),
        openapi::list::<InstanceView>,
    ),
    Endpoint::reads(
        "/audit",
        "who did what, and who was refused, newest first",
        || get(audit::list),
        openapi::page::<AuditView>,
    )
    .taking(&[
        LIMIT,
        CURSOR,
        ACTION,
        ACTOR,
        JOB,
        query("execution", Kind::Number(1, i64::MAX as u64), "of this execution"),
        FROM,
        TO,
    ]),
    Endpoint::reads("/events", "what happens, as it happens", || get(events::events), openapi::events)
        .taking(&[header("Last-Event-ID", Kind::Text, "the last event that was heard")]),
    Endpoint::reads("/openapi.json", "this document", || get(openapi::document), openapi::itself),
    Endpoint::does(
        Action::Trigger,
        "/{job_id}/trigger",
        "runs a job now",
        || post(trigger::trigger),
        openapi::one::<RequestedView>,
    )
    .taking(&[
        query("wait", Kind::Wait, "for how long to wait for the occurrence's end, at most 60 s"),
        header("Idempotency-Key", Kind::Key, "a repetition under it is answered with the first run, and runs nothing"),
        header("traceparent", Kind::Text, "W3C's: the trace that the executions continue; ignored if malformed"),
        header("tracestate", Kind::Text, "W3C's, beside it"),
        body("params", Kind::Any, "what the job's body takes"),
        REASON,
    ])
    .answering(&[200, 202], &[Code::AlreadyRunning, Code::IdempotencyConflict]),
    Endpoint::does(
        Action::Pause,
        "/{job_id}/pause",
        "starts nothing of a job's schedule until it is resumed",
        || post(pause::pause),
        openapi::one::<PausedView>,
    )
    .taking(&[body("until", Kind::Instant, "when the pause ends by itself"), REASON])
    .answering(&[200], &[Code::AlreadyPaused]),
    Endpoint::does(
        Action::Resume,
        "/{job_id}/resume",
        "goes on with a job's schedule",
        || post(pause::resume),
        openapi::one::<PausedView>,
    )
    .taking(&[REASON])
    .answering(&[200], &[Code::NotPaused]),
    Endpoint::does(
        Action::Skip,
        "/{job_id}/skip",
        "keeps one occurrence that is to come from running",
        || post(occurrence::skip),
        openapi::one::<RequestedView>,
    )
    .taking(&[needed("scheduled_at", Kind::Instant, "the occurrence"), REASON])
    .answering(&[201], &[Code::AlreadyDecided]),
    Endpoint::does(
        Action::Backfill,
        "/{job_id}/backfill",
        "runs what a job was due for in a range and never ran",
        || post(backfill::backfill),
        openapi::one::<BackfillView>,
    )
    .taking(&[
        needed("from", Kind::Instant, "the range's start"),
        needed("to", Kind::Instant, "its end, not included"),
        body("dry_run", Kind::Flag, "whether to answer what would be done, and do nothing"),
        REASON,
    ])
    .answering(&[200, 202], &[]),
    Endpoint::does(
        Action::Cancel,
        "/executions/{id}/cancel",
        "stops an execution that waits (200), or asks one that runs to stop (202)",
        || post(attempt::cancel),
        openapi::one::<RequestedView>,
    )
    .taking(&[REASON])
    .answering(&[200, 202], &[Code::AlreadyEnded]),
    Endpoint::does(
        Action::Retry,
        "/executions/{id}/retry",
        "has one more attempt made at an execution's occurrence",
        || post(attempt::retry),
        openapi::one::<RequestedView>,
    )
    .taking(&[REASON])
    .answering(&[202], &[Code::NotRetryable]),
];

/// Where there is none.
pub(crate) static NOTHING: Endpoint =
    Endpoint::reads("", "", || any(async || ApiError::no_such_path()), openapi::itself);

impl Endpoint {
    const fn reads(path: &'static str, about: &'static str, handler: fn() -> MethodRouter<Api>, data: Data) -> Self {
        let permission = Permission::Read;
        Self { path, permission, action: None, handler, about, takes: &[], statuses: &[200], data, conflicts: &[] }
    }

    const fn does(
        action: Action,
        path: &'static str,
        about: &'static str,
        handler: fn() -> MethodRouter<Api>,
        data: Data,
    ) -> Self {
        let permission = match action {
            Action::Trigger | Action::Retry | Action::Cancel => Permission::Execute,
            // Whatever else there may come to be changes how jobs run.
            _ => Permission::Manage,
        };
        Self { permission, action: Some(action), ..Self::reads(path, about, handler, data) }
    }

    const fn taking(self, takes: &'static [Parameter]) -> Self {
        Self { takes, ..self }
    }

    const fn answering(self, statuses: &'static [u16], conflicts: &'static [Code]) -> Self {
        Self { statuses, conflicts, ..self }
    }

    /// Whether it answers at once, so that who has its answer already can be told so.
    pub(crate) fn is_read_whole(&self) -> bool {
        self.action.is_none() && self.path != "/events"
    }

    /// What its body may have.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static Parameter> {
        self.takes.iter().filter(|parameter| parameter.place == Place::Body)
    }
}

fn statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.as_str()).collect()
}

fn origins() -> Vec<&'static str> {
    Origin::ALL.iter().map(|origin| origin.as_str()).collect()
}

fn levels() -> Vec<&'static str> {
    LogLevel::ALL.iter().map(|level| level.as_str()).collect()
}

fn actions() -> Vec<&'static str> {
    Action::ALL.iter().map(|action| action.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use scheduler_core::identity::{JobId, JobIdError};

    use super::ENDPOINTS;

    #[test]
    fn no_job_s_id_is_shadowed_by_a_path_of_the_api() {
        for endpoint in ENDPOINTS {
            let first = endpoint.path[1..].split('/').next().unwrap_or_default();
            if !first.is_empty() && !first.starts_with('{') {
                assert!(matches!(JobId::parse(first), Err(JobIdError::Reserved { .. })), "{first}");
            }
        }
    }
}
