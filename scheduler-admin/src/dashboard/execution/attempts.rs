//! The other attempts at an execution's occurrence, and what people did to this one.

use maud::{Markup, html};
use scheduler_core::{
    SchedulerHandle,
    execution::Execution,
    store::{AuditEntry, AuditQuery, StoreError},
};
use scheduler_cron::NamedZone;

use crate::dashboard::{look, words::Words};

/// How many are shown.
const MOST: usize = 20;

/// What is around one execution.
pub(super) struct Around {
    attempts: Vec<Execution>,
    audit: Vec<AuditEntry>,
}

pub(super) async fn read(handle: &SchedulerHandle, row: &Execution) -> Result<Around, StoreError> {
    // Of its job, too, as the audit is kept by jobs.
    let (job_id, execution_id) = (Some(row.job_id.clone()), Some(row.id));
    let query = AuditQuery { job_id, execution_id, limit: MOST, ..AuditQuery::default() };
    let attempts = handle.attempts(&row.job_id, &row.occurrence, MOST);
    let (attempts, audit) = tokio::try_join!(attempts, handle.audit(&query))?;
    Ok(Around { attempts, audit })
}

pub(super) fn card(around: &Around, row: &Execution, zone: NamedZone, root: &str, words: &Words) -> Markup {
    html! {
        @if around.attempts.len() > 1 {
            h2 { (words.attempts) }
            div class="card" {
                table {
                    tbody {
                        @for one in around.attempts.iter().rev() {
                            tr aria-current=[(one.id == row.id).then_some("true")] {
                                td { (look::attempt(one, words)) @if one.id == row.id { small { (words.this_one) } } }
                                td { a href={ (root) "executions/" (one.id) } { "#" (one.id) } }
                                td { (look::status(one.status, words)) @if let Some(reason) = one.reason { small { (words.reason_of(reason)) } } }
                                td { @if let Some(at) = one.started_at { (look::time(at, zone)) } @else { (words.from) " " (look::time(one.not_before, zone)) } }
                                td { @if let Some(seconds) = one.duration_seconds { (look::seconds(seconds, words)) } }
                            }
                        }
                    }
                }
            }
        }
        @if !around.audit.is_empty() {
            h2 { (words.of_it) }
            div class="card" {
                table {
                    tbody {
                        @for entry in around.audit.iter().rev() {
                            @let record = &entry.record;
                            tr {
                                td { (look::time(entry.at, zone)) }
                                td { (words.action_of(record.action)) @if record.refused.is_some() { small class="st bad" { "✕ " (words.refused) } } }
                                td { (look::text(&record.actor.who, words)) @if let Some(address) = &record.actor.address { small { (words.from_address) " " (look::text(address, words)) } } }
                                td { @if let Some(reason) = &record.actor.reason { (words.reason) ": " (look::text(reason, words)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
