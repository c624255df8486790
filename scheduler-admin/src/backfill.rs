//! Running what never ran.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use scheduler_core::{
    Backfill, Backfilled, SchedulerHandle,
    store::{BackfillAnswer, BackfillRefusal},
};
use scheduler_cron::NamedZone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{caller::Caller, envelope::Envelope, error::ApiError, openapi, path::Segment, time};

/// What became of a backfill.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backfill)]
pub(crate) struct BackfillView {
    job_id: String,
    dry_run: bool,
    /// How many occurrences run, or would.
    waits: usize,
    /// How many do not.
    refused: usize,
    occurrences: Vec<BackfilledView>,
}

/// An occurrence of a backfill, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BackfilledOccurrence)]
pub(crate) struct BackfilledView {
    #[schema(format = DateTime)]
    scheduled_at: String,
    /// `waits` or `refused`.
    answer: &'static str,
    /// The number of the attempt that waits.
    attempt: Option<u32>,
    /// The row that waits, or that stands in the way.
    execution_id: Option<i64>,
    /// Why it was refused: `has_run`, `undecided` or `pruned`.
    refusal: Option<&'static str>,
    /// Where the row that stands in the way stands.
    #[schema(schema_with = openapi::words::some_status)]
    status: Option<&'static str>,
}

impl BackfilledView {
    fn of(backfilled: Backfilled, zone: NamedZone) -> Self {
        let refused = |refusal| Self {
            scheduled_at: time::text_in(backfilled.scheduled_at, zone),
            answer: "refused",
            attempt: None,
            execution_id: None,
            refusal: Some(refusal),
            status: None,
        };
        match backfilled.answer {
            BackfillAnswer::Waits { attempt, execution_id } => {
                let execution_id = execution_id.map(|id| id.0);
                Self { answer: "waits", attempt: Some(attempt), execution_id, refusal: None, ..refused("") }
            }
            BackfillAnswer::Refused(BackfillRefusal::HasRun { execution_id, status }) => {
                Self { execution_id: Some(execution_id.0), status: Some(status.as_str()), ..refused("has_run") }
            }
            BackfillAnswer::Refused(BackfillRefusal::Undecided) => refused("undecided"),
            BackfillAnswer::Refused(BackfillRefusal::Pruned) => refused("pruned"),
            // The enums may grow.
            _ => refused("refused"),
        }
    }
}

/// `POST /{job_id}/backfill`
pub(crate) async fn backfill(
    State(handle): State<SchedulerHandle>,
    caller: Caller,
    job_id: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller.job_id(job_id).await?;
    let mut fields = caller.body(request).await?;
    let (from, to) = (fields.needed_instant("from")?, fields.needed_instant("to")?);
    let (dry_run, reason) = (fields.flag("dry_run")?, fields.reason()?);
    if to <= from {
        return Err(ApiError::field("to", "must be after `from`"));
    }
    let mut wanted = Backfill::new(id.clone(), from..to);
    if dry_run {
        wanted = wanted.as_dry_run();
    }
    let answers = handle.backfill(&wanted, &caller.actor(reason)).await;
    let answers = answers.map_err(|error| ApiError::of(&handle, error))?;

    let zone = time::zone_of(&handle, &id);
    let occurrences: Vec<_> = answers.into_iter().map(|answer| BackfilledView::of(answer, zone)).collect();
    let waits = occurrences.iter().filter(|occurrence| occurrence.refusal.is_none()).count();
    let refused = occurrences.len() - waits;
    let (status, message) = match dry_run {
        true => (StatusCode::OK, format!("{waits} occurrences of `{id}` would run")),
        false => (StatusCode::ACCEPTED, format!("{waits} occurrences of `{id}` wait to run")),
    };
    let data = BackfillView { job_id: id.to_string(), dry_run, waits, refused, occurrences };
    Ok(Envelope::success(message, data).into_response(status))
}
