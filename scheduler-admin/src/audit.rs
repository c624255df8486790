//! Who did what, and who was refused.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use scheduler_core::{
    SchedulerHandle,
    identity::ExecutionId,
    store::{Action, AuditEntry, AuditId, AuditQuery},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    cursor::Cursor,
    envelope::Envelope,
    error::ApiError,
    openapi, page,
    query::{Query, TimeRange},
    redact, time,
};

/// What the list can be asked for.
const FILTERS: [&str; 6] = ["action", "actor", "job", "execution", "from", "to"];

/// An entry as it is shown; its instant has the offset of its job's zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditView {
    id: i64,
    #[schema(format = DateTime)]
    at: String,
    actor: String,
    #[schema(schema_with = openapi::words::action)]
    action: &'static str,
    job_id: Option<String>,
    execution_id: Option<i64>,
    reason: Option<String>,
    address: Option<String>,
    /// Why it was not done; null for what was.
    refused: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl AuditView {
    pub(crate) fn of(handle: &SchedulerHandle, entry: AuditEntry) -> Self {
        let record = entry.record;
        let zone = record.job_id.as_ref().map_or(scheduler_cron::NamedZone::UTC, |id| time::zone_of(handle, id));
        Self {
            id: entry.id.0,
            at: time::text_in(entry.at, zone),
            actor: record.actor.who,
            action: record.action.as_str(),
            job_id: record.job_id.map(|id| id.to_string()),
            execution_id: record.execution_id.map(|id| id.0),
            reason: redact::option(record.actor.reason),
            address: record.actor.address,
            refused: redact::option(record.refused),
            before: record.before.map(redact::value),
            after: record.after.map(redact::value),
        }
    }
}

/// `GET /audit`
pub(crate) async fn list(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, ApiError> {
    let (entries, meta) = read(&handle, &caller, &Query::of(&uri)?).await?;
    let entries: Vec<_> = entries.into_iter().map(|entry| AuditView::of(&handle, entry)).collect();
    Ok(Envelope::success("who did what", entries).with_meta(meta).into_response(StatusCode::OK))
}

/// The entries that a query asks for, as far as a caller sees them, and where the next page begins.
pub(crate) async fn read(
    handle: &SchedulerHandle,
    caller: &Caller,
    query: &Query,
) -> Result<(Vec<AuditEntry>, Value), ApiError> {
    if query.get("page")?.is_some() {
        return Err(ApiError::parameter("page", "is not known here: the audit is read by `cursor`"));
    }
    let limit = query.number("limit", page::LIMIT)?.unwrap_or(page::DEFAULT_LIMIT);
    let cursor = Cursor::new('a', query.fingerprint("audit", &FILTERS)?);
    let TimeRange { from, to } = query.range()?;
    let wanted = AuditQuery {
        job_id: query.job()?,
        among: caller.scope().await?,
        execution_id: query.number("execution", 1..=i64::MAX as u64)?.map(|id| ExecutionId(id as i64)),
        who: query.get("actor")?.map(str::to_owned),
        actions: query.words("action", Action::ALL)?,
        since: from,
        until: to,
        before: query.get("cursor")?.map(|text| cursor.read(text)).transpose()?.map(AuditId),
        // One entry more says whether a page follows.
        limit: usize::try_from(limit).expect("at most 100") + 1,
    };
    let mut entries = handle.audit(&wanted).await?;
    let more = entries.len() == wanted.limit;
    entries.truncate(wanted.limit - 1);
    let next = entries.last().filter(|_| more).map(|last| cursor.text(last.id.0));
    let meta = json!({ "limit": limit, "next_cursor": next });
    Ok((entries, meta))
}
