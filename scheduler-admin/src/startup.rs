//! What a service answers while it starts.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    envelope::Envelope,
    error::{ApiError, Code},
    guard,
};

/// Answers probes while a service starts, and then everything that the service serves.
///
/// A start may take long: the first instance of a new version migrates the store's tables. A service that listens only once it
/// has started is taken for dead meanwhile, and killed. This one lives and is not ready: `/healthz` is 200, `/readyz` is 503 and
/// says what is being done, and everything else is 503.
///
/// ```
/// use scheduler_admin::Startup;
///
/// let startup = Startup::new("the store's tables are migrated");
/// let router = startup.router();
/// // … serve `router`, start the scheduler, and then:
/// startup.done(axum::Router::new());
/// ```
#[derive(Debug, Clone)]
pub struct Startup(Arc<State>);

#[derive(Debug)]
struct State {
    doing: Mutex<&'static str>,
    served: OnceLock<Router>,
}

impl Startup {
    /// A start that begins with this. Whoever asks `/readyz` reads it, so it names no hosts and no causes.
    #[must_use]
    pub fn new(doing: &'static str) -> Self {
        Self(Arc::new(State { doing: Mutex::new(doing), served: OnceLock::new() }))
    }

    /// Says what is being done now.
    pub fn doing(&self, doing: &'static str) {
        *self.0.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }

    /// The service has started: from now on this is served. A second router is served in no case.
    pub fn done(&self, served: Router) {
        // The first one is served already.
        let _ = self.0.served.set(served);
    }

    /// What is served from the beginning on.
    pub fn router(&self) -> Router {
        let startup = self.clone();
        Router::new().fallback(move |request: Request| {
            let startup = startup.clone();
            async move { startup.answer(request).await }
        })
    }

    async fn answer(&self, request: Request) -> Result<Response, Infallible> {
        if let Some(router) = self.0.served.get() {
            return router.clone().oneshot(request).await;
        }
        let doing = *self.0.doing.lock().unwrap_or_else(PoisonError::into_inner);
        let starting = Router::new().fallback(move |request: Request| async move { starting(&request, doing) });
        guard::around(starting).oneshot(request).await
    }
}

fn starting(request: &Request, doing: &str) -> Response {
    match request.uri().path() {
        "/healthz" | "/readyz" if !matches!(request.method().as_str(), "GET" | "HEAD") => {
            ApiError::method_not_allowed().into_response()
        }
        "/healthz" => Envelope::success("the process answers", ()).into_response(StatusCode::OK),
        _ => {
            let data = json!({ "ready": false, "degraded": [], "starting": doing });
            let message = format!("this instance starts: {doing}");
            Envelope::error(Code::Unavailable, message, data).into_response(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Method, routing::get};

    use super::*;

    async fn asked(startup: &Startup, method: Method, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let response = startup.router().oneshot(request).await.expect("it answers");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_service_that_starts_lives_and_is_not_ready_and_says_what_it_does() {
        let startup = Startup::new("the store's tables are migrated");
        assert_eq!(asked(&startup, Method::GET, "/healthz").await.0, StatusCode::OK);
        let (status, body) = asked(&startup, Method::GET, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("the store's tables are migrated") && body.contains("\"ready\":false"), "{body}");
        startup.doing("the jobs are announced");
        assert!(asked(&startup, Method::GET, "/readyz").await.1.contains("the jobs are announced"));
        assert_eq!(asked(&startup, Method::POST, "/healthz").await.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(asked(&startup, Method::GET, "/anything").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn what_has_started_is_served() {
        let startup = Startup::new("the store's tables are migrated");
        startup.done(Router::new().route("/anything", get(|| async { "served" })));
        assert_eq!(asked(&startup, Method::GET, "/anything").await, (StatusCode::OK, "served".to_owned()));
        assert_eq!(asked(&startup, Method::GET, "/healthz").await.0, StatusCode::NOT_FOUND);
    }
}
