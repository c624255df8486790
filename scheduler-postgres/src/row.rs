//! From rows to the engine's types.

use std::{
    collections::BTreeSet,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use scheduler_core::{
    TraceContext,
    execution::Execution,
    identity::{ClaimId, ExecutionId, FencingToken, InstanceId, JobId, RevisionId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::{DecidedRow, Grant, JobRevision, JobState, Pause},
};
use tokio_postgres::Row;
use tracing::error;

use crate::{error::PostgresError, report};

/// A word of an enum that the table keeps as text.
pub(crate) fn word<T: FromStr>(row: &Row, column: &str, what: &'static str) -> Result<T, PostgresError> {
    let value: &str = row.try_get(column)?;
    value.parse().map_err(|_| PostgresError::Row { what, value: value.to_owned() })
}

/// A job's id; the predecessor's need not be of the form that new ones have.
pub(crate) fn job_id(row: &Row) -> Result<JobId, PostgresError> {
    Ok(JobId::from_stored(row.try_get("job_id")?))
}

/// A row of the columns that `{e.columns}` names.
pub(crate) fn execution(row: &Row) -> Result<Execution, PostgresError> {
    let mut execution = Execution::new(
        ExecutionId(row.try_get("id")?),
        job_id(row)?,
        OccurrenceKey::from_stored(row.try_get("occurrence")?),
        Origin::from_stored(row.try_get("origin")?),
        Status::from_stored(row.try_get("status")?),
        row.try_get("scheduled_at")?,
        row.try_get("created_at")?,
    );
    execution.attempt = count(row, "attempt")?;
    execution.max_attempts = count(row, "max_attempts")?;
    execution.reason = reason(row, "reason")?;
    execution.not_before = row.try_get("not_before")?;
    execution.started_at = row.try_get("started_at")?;
    execution.finished_at = row.try_get("finished_at")?;
    execution.duration_seconds = row.try_get("duration_seconds")?;
    execution.message = row.try_get("message")?;
    execution.error_trace = row.try_get("error_trace")?;
    execution.result_data = row.try_get("result_data")?;
    execution.holds_key = row.try_get("holds_key")?;
    execution.queued = row.try_get("queued")?;
    execution.for_instance = row.try_get::<_, Option<_>>("for_instance")?.map(InstanceId);
    execution.claim_id = row.try_get::<_, Option<_>>("claim_id")?.map(ClaimId);
    execution.fence = row.try_get::<_, Option<_>>("fence")?.map(FencingToken);
    execution.instance = row.try_get::<_, Option<_>>("instance_id")?.map(InstanceId);
    execution.triggered_by = row.try_get("triggered_by")?;
    execution.params = row.try_get("params")?;
    execution.upstream_results = row.try_get("upstream_results")?;
    execution.trace_context = trace_context(row)?;
    execution.late = row.try_get("late")?;
    execution.missed_from = row.try_get("missed_from")?;
    execution.missed_count = row.try_get::<_, Option<i64>>("missed_count")?.and_then(|count| count.try_into().ok());
    Ok(execution)
}

/// A row of the columns that `{e.read_columns}` names.
pub(crate) fn read(row: &Row) -> Result<Execution, PostgresError> {
    let mut execution = execution(row)?;
    execution.progress = report::progress(row)?;
    Ok(execution)
}

/// A row of a list, of the columns that `{e.columns}` names, and its progress where it has that: what can't be read is shown as
/// such. `None` of a row of which not even that can be shown, and of which is told.
pub(crate) fn listed(row: &Row, read: impl Fn(&Row) -> Result<Execution, PostgresError>) -> Option<Execution> {
    let error = match read(row) {
        Ok(execution) => return Some(execution),
        Err(error) => error,
    };
    tell_unreadable(row, &error);
    let mut execution = Execution::new(
        ExecutionId(row.try_get("id").ok()?),
        job_id(row).ok()?,
        OccurrenceKey::from_stored(row.try_get("occurrence").ok()?),
        Origin::from_stored(row.try_get("origin").ok()?),
        Status::from_stored(row.try_get("status").ok()?),
        row.try_get("scheduled_at").ok()?,
        row.try_get("created_at").ok()?,
    );
    execution.attempt = count(row, "attempt").unwrap_or(1);
    execution.started_at = row.try_get("started_at").ok().flatten();
    execution.finished_at = row.try_get("finished_at").ok().flatten();
    execution.message = Some(format!("this version can't read the whole row: {error}"));
    Some(execution)
}

/// How many rows that can't be read are told of in a process.
const TOLD: usize = 1_000;

/// Which were told of.
static UNREADABLE: Mutex<BTreeSet<i64>> = Mutex::new(BTreeSet::new());

/// Tells of a row that this version can't read, once: a later version may have written it, or a hand.
pub(crate) fn tell_unreadable(row: &Row, error: &PostgresError) {
    let Ok(id) = row.try_get::<_, i64>("id") else { return };
    let mut told = UNREADABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < TOLD && told.insert(id) {
        error!(
            execution_id = id,
            %error,
            "a row can't be read by this version: it is left alone, and all others go on"
        );
    }
}

/// The trace of a request. What a hand has spoiled is as if it had not been given.
fn trace_context(row: &Row) -> Result<Option<TraceContext>, PostgresError> {
    let parent: Option<&str> = row.try_get("traceparent")?;
    let state: Option<&str> = row.try_get("tracestate")?;
    let trace = parent.and_then(TraceContext::parse);
    Ok(trace.map(|trace| state.into_iter().fold(trace, TraceContext::with_tracestate)))
}

/// Why, where a row says why.
pub(crate) fn reason(row: &Row, column: &str) -> Result<Option<Reason>, PostgresError> {
    Ok(row.try_get::<_, Option<&str>>(column)?.map(Reason::from_stored))
}

/// A number of attempts.
pub(crate) fn count(row: &Row, column: &str) -> Result<u32, PostgresError> {
    let value: i32 = row.try_get(column)?;
    value.try_into().map_err(|_| PostgresError::Row { what: "number of attempts", value: value.to_string() })
}

/// The grant of a row that has started.
pub(crate) fn grant(row: &Row) -> Result<Grant, PostgresError> {
    Ok(Grant {
        execution_id: ExecutionId(row.try_get("id")?),
        fence: FencingToken(row.try_get("fence")?),
        started_at: row.try_get("started_at")?,
    })
}

/// A job's state, of the columns that `{s.columns}` names.
pub(crate) fn state(row: &Row) -> Result<JobState, PostgresError> {
    let mut state = JobState::new(
        job_id(row)?,
        RevisionId(row.try_get("revision_id")?),
        row.try_get("enabled")?,
        row.try_get("watermark")?,
    );
    state.prune_horizon = row.try_get("prune_horizon")?;
    let at: Option<DateTime<Utc>> = row.try_get("paused_at")?;
    if let Some(at) = at {
        state.pause = Some(Pause {
            at,
            by: row.try_get("paused_by")?,
            reason: row.try_get("pause_reason")?,
            until: row.try_get("pause_until")?,
        });
    }
    Ok(state)
}

/// A job's revision.
pub(crate) fn revision(row: &Row) -> Result<Arc<JobRevision>, PostgresError> {
    Ok(Arc::new(JobRevision {
        id: RevisionId(row.try_get("id")?),
        fingerprint: row.try_get::<_, &str>("fingerprint")?.into(),
        trigger: row.try_get::<_, &str>("trigger")?.into(),
        zone: row.try_get::<_, Option<&str>>("zone")?.map(Into::into),
        zone_data: row.try_get::<_, Option<&str>>("zone_data")?.map(Into::into),
        policies: Arc::new(row.try_get("policies")?),
        enabled: row.try_get("enabled")?,
        valid_from: row.try_get("valid_from")?,
        valid_to: row.try_get("valid_to")?,
    }))
}

/// Text as the server takes it: without the one character it has no place for.
pub(crate) fn storable(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// A duration as the statements take it.
pub(crate) fn millis(duration: std::time::Duration) -> i64 {
    /// A thousand years: what is longer is no date that the server can add up.
    const LONGEST: i64 = 1_000 * 365 * 24 * 60 * 60 * 1_000;
    duration.as_millis().try_into().unwrap_or(LONGEST).min(LONGEST)
}

/// The rows of a schedule's occurrences, from two columns of arrays, as many as this; and whether there are more.
pub(crate) fn decided_rows(
    row: &Row,
    (instants, starts): (&str, &str),
    limit: usize,
) -> Result<(Vec<DecidedRow>, bool), PostgresError> {
    let instants: Option<Vec<DateTime<Utc>>> = row.try_get(instants)?;
    let starts: Option<Vec<Option<DateTime<Utc>>>> = row.try_get(starts)?;
    let seen = instants.unwrap_or_default().into_iter().zip(starts.unwrap_or_default());
    let mut rows: Vec<_> = seen.map(|(scheduled_at, missed_from)| DecidedRow { scheduled_at, missed_from }).collect();
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    Ok((rows, is_cut))
}
