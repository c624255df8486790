//! The router.

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::{OriginalUri, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{MethodRouter, any, get, post},
};
use scheduler_core::SchedulerHandle;

use crate::{Authorizer, Permission, error::ApiError, execution, guard, job, path::PREFIX, trigger};

/// The admin API over a running scheduler.
///
/// There is no open default: it can't be made without an [`Authorizer`].
#[derive(Clone)]
#[must_use = "the API serves nothing until its router is served"]
pub struct AdminApi {
    handle: SchedulerHandle,
    authorizer: Arc<dyn Authorizer>,
}

impl AdminApi {
    /// The API over this scheduler, for those whom the authorizer lets in.
    pub fn new(handle: SchedulerHandle, authorizer: impl Authorizer) -> Self {
        Self { handle, authorizer: Arc::new(authorizer) }
    }

    /// Its routes, all under [`PREFIX`], to merge into the service's own.
    pub fn router(self) -> Router {
        let routes = Router::new()
            .route("/", self.needs(Permission::Read, get(job::list)))
            .route("/{job_id}", self.needs(Permission::Read, get(job::one)))
            .route("/{job_id}/trigger", self.needs(Permission::Execute, post(trigger::trigger)))
            .route("/{job_id}/history", self.needs(Permission::Read, get(execution::history)))
            .route("/executions/recent", self.needs(Permission::Read, get(execution::recent)))
            .route("/executions/{id}", self.needs(Permission::Read, get(execution::one)))
            .fallback_service(self.gated(Permission::Read, any(no_such_path)).with_state(self.handle.clone()));
        // The nested `/` is the prefix alone; with the slash after it is a path of its own.
        let with_slash = self.needs(Permission::Read, get(job::list));
        let router = Router::new().nest(PREFIX, routes).route(&format!("{PREFIX}/"), with_slash);
        guard::around(router.with_state(self.handle))
    }

    /// An endpoint that needs a permission, also to be told that it does not take a method.
    fn needs(&self, permission: Permission, endpoint: MethodRouter<SchedulerHandle>) -> MethodRouter<SchedulerHandle> {
        self.gated(permission, endpoint.fallback(method_not_allowed))
    }

    /// Asks the authorizer before the endpoint looks at anything.
    fn gated(&self, permission: Permission, endpoint: MethodRouter<SchedulerHandle>) -> MethodRouter<SchedulerHandle> {
        let gate = Gate { authorizer: Arc::clone(&self.authorizer), permission };
        endpoint.layer(from_fn_with_state(gate, pass))
    }
}

impl fmt::Debug for AdminApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminApi").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// What stands before an endpoint.
#[derive(Clone)]
struct Gate {
    authorizer: Arc<dyn Authorizer>,
    permission: Permission,
}

async fn pass(
    State(gate): State<Gate>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    // Nesting took the prefix off; an authorizer that looks at the path means the client's.
    parts.uri = uri;
    let actor = gate.authorizer.authorize(&parts, gate.permission).await;
    let actor = actor.map_err(|error| ApiError::refused(error, gate.permission))?;
    parts.extensions.insert(actor);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

async fn no_such_path() -> ApiError {
    ApiError::no_such_path()
}

async fn method_not_allowed() -> ApiError {
    ApiError::method_not_allowed()
}
