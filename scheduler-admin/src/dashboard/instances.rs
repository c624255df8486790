//! The instances that share the store, and what runs on each.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use scheduler_core::{
    execution::Execution,
    status::Status,
    store::{ExecutionFilter, ExecutionQuery, InstanceRecord, PageStart},
};
use scheduler_cron::NamedZone;

use super::{Dashboard, look, visitor::Visitor, words::Words, zone};
use crate::{error::ApiError, instance};

/// How many running executions are read.
const RUNNING: usize = 500;
/// By how much a clock may be off before it is warned of (R13), in milliseconds.
const CLOCK_OFF: i64 = 1_000;

/// `GET /instances`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor) -> Result<Response, ApiError> {
    let (words, handle) = (visitor.frame.words, &dashboard.api.handle);
    let (among, statuses) = (visitor.caller.scope().await?, vec![Status::Running]);
    let filter = ExecutionFilter { among, statuses, ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: RUNNING, count: false };
    let (instances, running) = tokio::try_join!(handle.instances(), handle.executions(&query))?;
    let (now, zone) = (handle.now(), zone::home(handle));
    let content = html! {
        h1 { (words.instances) }
        div class="card" {
            @if instances.is_empty() { p class="note" { (words.none) } }
            @else {
                table {
                    thead {
                        tr {
                            @for name in [words.instance, words.host, words.version, words.heartbeat, words.clock_offset, words.runs_here] {
                                th scope="col" { (name) }
                            }
                        }
                    }
                    tbody {
                        @for one in &instances {
                            @let there = running.executions.iter().filter(|row| row.instance == Some(one.heartbeat.instance));
                            @let (is_alive, answers) = (instance::is_alive(one, &instances[0]), one.heartbeat.instance == handle.instance());
                            tr class=[(!is_alive).then_some("attn")] {
                                td {
                                    @if is_alive { span class="st ok" { "✓ " (words.alive) } } @else { span class="st bad" { "✕ " (words.gone) } }
                                    small { code { (one.heartbeat.instance) } }
                                    @if answers { small { (words.answers) } }
                                }
                                (beat(one, now, zone, words))
                                td { (runs(&there.collect::<Vec<_>>(), one, &visitor)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(visitor.page(words.instances, content))
}

/// What an instance says of itself.
fn beat(one: &InstanceRecord, now: DateTime<Utc>, zone: NamedZone, words: &Words) -> Markup {
    let heartbeat = &one.heartbeat;
    let is_off = heartbeat.clock_offset_ms.abs() > CLOCK_OFF;
    html! {
        td { (look::text(&heartbeat.host, words)) small { "pid " (heartbeat.pid) } }
        td { (look::text(&heartbeat.version, words)) small { (words.started) " " (look::time(one.started_at, zone)) } }
        td { (look::time(one.seen_at, zone)) small { (look::relative(one.seen_at.min(now), now, words)) } }
        td {
            span class=[is_off.then_some("st warn")] { @if is_off { "⚠ " } (heartbeat.clock_offset_ms) " ms" }
            @if is_off { small class="st warn" { (words.clock_off) } }
        }
    }
}

fn runs(rows: &[&Execution], one: &InstanceRecord, visitor: &Visitor) -> Markup {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    html! {
        @for row in rows { div { a href={ (root) "executions/" (row.id) } { (row.job_id) " #" (row.id) } } }
        small { a href={ (root) "executions?hours=24&instance=" (one.heartbeat.instance) } { (words.executions) " →" } }
    }
}
