//! The router.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{FromRef, OriginalUri, Request, State},
    http::Method,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::MethodRouter,
};
use scheduler_core::SchedulerHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Authenticator, Authorizer,
    caller::Caller,
    endpoint::{ENDPOINTS, Endpoint, NOTHING},
    error::ApiError,
    etag,
    events::Feed,
    guard,
    limits::Limits,
    path::PREFIX,
};

/// The admin API over a running scheduler.
///
/// There is no open default: it can't be made without knowing who calls, and what they may do.
#[derive(Clone)]
#[must_use = "the API serves nothing until its router is served"]
pub struct AdminApi(Api);

/// What the endpoints work with.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) handle: SchedulerHandle,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) limits: Limits,
    pub(crate) feed: Arc<Feed>,
    /// Fires when what is kept open is to end, beside the scheduler's own stop.
    stop: CancellationToken,
}

impl AdminApi {
    /// The API over this scheduler, for those whom the authenticator knows, as far as the authorizer allows.
    pub fn new(handle: SchedulerHandle, authenticator: impl Authenticator, authorizer: impl Authorizer) -> Self {
        let feed = Arc::new(Feed::new(handle.clone()));
        let (authenticator, authorizer) = (Arc::new(authenticator), Arc::new(authorizer));
        Self(Api { handle, authenticator, authorizer, limits: Limits::default(), feed, stop: CancellationToken::new() })
    }

    /// Serves at most so many requests at once, 64 unless told; those beyond are answered 429. Those that wait for an
    /// execution's end, and those that listen to events, are counted apart, up to 256 of each.
    pub fn with_request_limit(mut self, requests: usize) -> Self {
        self.0.limits = Limits::of_requests(requests);
        self
    }

    /// Ends what is kept open, streams of events and waits for an execution's end, once this token fires. Where the server
    /// stops after the scheduler no token is needed: they end when the scheduler has stopped.
    pub fn with_stop(mut self, stop: CancellationToken) -> Self {
        self.0.stop = stop;
        self
    }

    #[cfg(feature = "dashboard")]
    pub(crate) fn api(&self) -> Api {
        self.0.clone()
    }

    /// Its routes, all under [`PREFIX`], to merge into the service's own.
    ///
    /// The audit has the callers' addresses where the service is served
    /// [with them](axum::Router::into_make_service_with_connect_info), or the authenticator gives them.
    pub fn router(self) -> Router {
        let nothing = self.gated(&NOTHING, (NOTHING.handler)());
        let mut routes = Router::new().fallback_service(nothing.with_state(self.0.clone()));
        let mut with_slash = Router::new();
        for endpoint in ENDPOINTS {
            // Who may not do what an endpoint does is not told either that it takes another method.
            let handler = (endpoint.handler)().fallback(async || ApiError::method_not_allowed());
            let handler = self.gated(endpoint, handler);
            if endpoint.path == "/" {
                // The nested `/` is the prefix alone; with the slash after it is a path of its own.
                with_slash = with_slash.route(&format!("{PREFIX}/"), handler.clone());
            }
            routes = routes.route(endpoint.path, handler);
        }
        guard::around(Router::new().nest(PREFIX, routes).merge(with_slash).with_state(self.0))
    }

    /// Asks who calls, and whether they may, before the endpoint looks at anything.
    fn gated(&self, endpoint: &'static Endpoint, handler: MethodRouter<Api>) -> MethodRouter<Api> {
        handler.layer(from_fn_with_state(Gate { api: self.0.clone(), endpoint }, pass))
    }
}

impl fmt::Debug for AdminApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminApi").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Api {
    /// Waits until what is kept open is to end.
    pub(crate) fn ends(&self) -> impl Future<Output = ()> + Send + use<> {
        let (handle, stop) = (self.handle.clone(), self.stop.clone());
        async move {
            tokio::select! {
                () = handle.stopped() => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

impl FromRef<Api> for SchedulerHandle {
    fn from_ref(api: &Api) -> Self {
        api.handle.clone()
    }
}

/// What stands before an endpoint.
#[derive(Clone)]
struct Gate {
    api: Api,
    endpoint: &'static Endpoint,
}

async fn pass(
    State(gate): State<Gate>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let slot = gate.api.limits.request()?;
    // Nesting took the prefix off; an authenticator that looks at the path means the client's.
    parts.uri = uri;
    let principal = gate.api.authenticator.authenticate(&parts).await;
    let principal = principal.map_err(|error| ApiError::refused(error, gate.endpoint.permission))?;
    let caller = Caller::let_in(&gate.api, principal, gate.endpoint, &mut parts).await?;
    parts.extensions.insert(Arc::new(Mutex::new(Some(caller.in_slot(slot)))));
    let (is_get, wanted) = (parts.method == Method::GET, etag::wanted(&parts.headers));
    let response = next.run(Request::from_parts(parts, body)).await;
    Ok(if is_get && gate.endpoint.is_read_whole() { etag::tagged(wanted, response).await } else { response })
}
