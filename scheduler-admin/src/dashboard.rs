//! The dashboard: server-rendered pages over the same scheduler, for those whom the same authorizer lets in.

mod action;
mod asset;
mod audit;
mod execution;
mod executions;
mod form;
mod frame;
mod instances;
mod job;
mod jobs;
mod logs;
mod look;
mod picture;
mod session;
mod sign_in;
mod timeline;
mod visitor;
mod words;
mod zone;

use axum::{
    Router,
    extract::{Request, State},
    http::HeaderMap,
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};
use scheduler_core::store::Action;

pub use session::{SessionKey, SessionKeyError};

use crate::{
    api::{AdminApi, Api},
    error::ApiError,
    events, guard,
    path::Segment,
};

/// Pages for operators, made by [`AdminApi::dashboard`].
///
/// They need no JavaScript; where there is some, they show what happens as it happens. A sign-in page takes a token of the
/// API's and sets a session cookie: signed, `HttpOnly`, `SameSite`, `Secure`, twelve hours at most. Every form carries a token
/// of its session, and is refused from another site. Nothing is loaded from elsewhere, and nothing is inline.
#[derive(Debug, Clone)]
#[must_use = "the dashboard serves nothing until its router is served"]
pub struct Dashboard {
    api: Api,
    key: SessionKey,
    title: String,
    environment: Option<String>,
    /// Whether browsers may send the cookie without TLS.
    plain: bool,
}

impl AdminApi {
    /// A dashboard over the same scheduler, with the same callers and permissions, whose sessions this key signs.
    pub fn dashboard(&self, key: SessionKey) -> Dashboard {
        Dashboard { api: self.api(), key, title: "scheduler".to_owned(), environment: None, plain: false }
    }
}

impl Dashboard {
    /// Names the service.
    pub fn titled(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// Names the environment, such as `production`: every page shows it, and whatever is asked for names it.
    pub fn in_environment(self, environment: impl Into<String>) -> Self {
        Self { environment: Some(environment.into()), ..self }
    }

    /// Lets browsers send the session's cookie over plain HTTP, for a service on one's own machine.
    pub fn over_plain_http(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Its routes: to merge into the service's own at `/`, or beneath a path by [`Router::nest_service`]. All links are
    /// relative, so that a proxy may take that path off.
    pub fn router(self) -> Router {
        let mut routes = Router::new()
            .route("/", get(jobs::page))
            .route("/jobs/{job_id}", get(job::page))
            .route("/executions", get(executions::page))
            .route("/executions.csv", get(executions::csv))
            .route("/executions.json", get(executions::json))
            .route("/executions/{id}", get(execution::page))
            .route("/timeline", get(timeline::page))
            .route("/instances", get(instances::page))
            .route("/audit", get(audit::page))
            .route("/events", get(live))
            .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
            .route("/sign-out", post(sign_in::sign_out));
        for action in [Action::Trigger, Action::Pause, Action::Resume, Action::Skip, Action::Backfill] {
            routes = routes.route(&format!("/jobs/{{job_id}}/{action}"), asked(action));
        }
        for action in [Action::Cancel, Action::Retry] {
            routes = routes.route(&format!("/executions/{{id}}/{action}"), asked(action));
        }
        let routes = routes.method_not_allowed_fallback(async || ApiError::method_not_allowed());
        let pages = guard::around(routes.with_state(self.clone()));
        pages.layer(from_fn_with_state(self.clone(), frame::around)).merge(asset::routes().with_state(self))
    }
}

/// What asks whether something is meant, and does it.
fn asked(action: Action) -> axum::routing::MethodRouter<Dashboard> {
    let ask = move |State(dashboard): State<Dashboard>, named: Segment, request: Request| {
        action::ask(dashboard, action, named, request)
    };
    let act = move |State(dashboard): State<Dashboard>, named: Segment, request: Request| {
        action::act(dashboard, action, named, request)
    };
    get(ask).post(act)
}

/// The events, for who has signed in.
async fn live(
    State(dashboard): State<Dashboard>,
    visitor: visitor::Visitor,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    events::stream(dashboard.api, visitor.caller, headers).await
}
