//! The instances that share the store, and what runs on each.

use axum::{extract::State, response::Response};
use maud::html;
use scheduler_core::{
    status::Status,
    store::{ExecutionFilter, ExecutionQuery, PageStart},
};

use super::{Dashboard, visitor::Visitor};
use crate::{error::ApiError, instance::InstanceView};

/// How many running executions are read.
const RUNNING: usize = 500;

/// `GET /instances`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor) -> Result<Response, ApiError> {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    let handle = &dashboard.api.handle;
    let instances = InstanceView::all(handle).await?;
    let (among, statuses) = (visitor.caller.scope().await?, vec![Status::Running]);
    let filter = ExecutionFilter { among, statuses, ..ExecutionFilter::default() };
    let query = ExecutionQuery { filter, start: PageStart::Offset(0), limit: RUNNING, count: false };
    let running = handle.executions(&query).await?.executions;
    let content = html! {
        h1 { (words.instances) }
        div class="card" {
            @if instances.is_empty() { p class="note" { (words.none) } }
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
                        @let there = running.iter().filter(|row| row.instance.is_some_and(|id| id.to_string() == one.instance));
                        tr class=[(!one.alive).then_some("attn")] {
                            td {
                                @if one.alive { span class="st ok" { "✓ " (words.alive) } } @else { span class="st bad" { "✕ " (words.gone) } }
                                small { code { (one.instance) } }
                            }
                            td { (one.host) small { "pid " (one.pid) } }
                            td { (one.version) }
                            td { time datetime=(one.seen_at) { (one.seen_at) } }
                            td { (one.clock_offset_ms) " ms" }
                            td { @for row in there { a href={ (root) "executions/" (row.id) } { (row.job_id) " #" (row.id) } " " } }
                        }
                    }
                }
            }
        }
    };
    Ok(visitor.page(words.instances, content))
}
