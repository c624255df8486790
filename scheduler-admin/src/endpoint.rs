//! The endpoints: which permission each needs, and what it does. The router is made from this table alone.

use axum::routing::{MethodRouter, get, post};
use scheduler_core::store::Action;

use crate::{
    Permission, api::Api, attempt, audit, backfill, events, execution, instance, job, occurrence, pause, trigger,
};

/// An endpoint.
pub(crate) struct Endpoint {
    /// Below the prefix.
    pub(crate) path: &'static str,
    /// What the caller must be allowed.
    pub(crate) permission: Permission,
    /// What it does, if it changes something: what the audit calls it.
    pub(crate) action: Option<Action>,
    /// Whether who has its answer already is told so; not of one that goes on.
    pub(crate) tags: bool,
    /// Its handler.
    pub(crate) handler: fn() -> MethodRouter<Api>,
}

/// All endpoints.
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::reads("/", || get(job::list)),
    Endpoint::reads("/{job_id}", || get(job::one)),
    Endpoint::reads("/{job_id}/history", || get(execution::history)),
    Endpoint::reads("/{job_id}/next", || get(occurrence::next)),
    Endpoint::reads("/executions/recent", || get(execution::recent)),
    Endpoint::reads("/executions/{id}", || get(execution::one)),
    Endpoint::reads("/instances", || get(instance::list)),
    Endpoint::reads("/audit", || get(audit::list)),
    Endpoint::streams("/events", || get(events::events)),
    Endpoint::does(Action::Trigger, "/{job_id}/trigger", || post(trigger::trigger)),
    Endpoint::does(Action::Pause, "/{job_id}/pause", || post(pause::pause)),
    Endpoint::does(Action::Resume, "/{job_id}/resume", || post(pause::resume)),
    Endpoint::does(Action::Skip, "/{job_id}/skip", || post(occurrence::skip)),
    Endpoint::does(Action::Backfill, "/{job_id}/backfill", || post(backfill::backfill)),
    Endpoint::does(Action::Cancel, "/executions/{id}/cancel", || post(attempt::cancel)),
    Endpoint::does(Action::Retry, "/executions/{id}/retry", || post(attempt::retry)),
];

impl Endpoint {
    const fn reads(path: &'static str, handler: fn() -> MethodRouter<Api>) -> Self {
        Self { path, permission: Permission::Read, action: None, tags: true, handler }
    }

    const fn streams(path: &'static str, handler: fn() -> MethodRouter<Api>) -> Self {
        Self { tags: false, ..Self::reads(path, handler) }
    }

    const fn does(action: Action, path: &'static str, handler: fn() -> MethodRouter<Api>) -> Self {
        let permission = match action {
            Action::Trigger | Action::Retry | Action::Cancel => Permission::Execute,
            // Whatever else there may come to be changes how jobs run.
            _ => Permission::Manage,
        };
        Self { path, permission, action: Some(action), tags: false, handler }
    }
}
