//! Whether the process lives, and whether it starts what is due.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use scheduler_core::{Health, SchedulerHandle};
use serde_json::json;

use crate::{
    envelope::Envelope,
    error::{ApiError, Code},
    guard,
};

/// `GET /healthz` and `GET /readyz`, for those who watch the process; without authorization, and without names of
/// hosts, jobs or causes.
///
/// `/healthz` is 200 while the process answers. `/readyz` is 200 while the instance starts what is due, else 503; its
/// `data` is `{"ready": …, "degraded": […], "zone_data": "2026f"}`, and a ready instance may be degraded.
pub fn health_router(handle: SchedulerHandle) -> Router {
    let routes = Router::new()
        .route("/healthz", get(alive).fallback(not_allowed))
        .route("/readyz", get(ready).fallback(not_allowed))
        .with_state(handle);
    guard::around(routes)
}

async fn alive() -> Response {
    Envelope::success("the process answers", ()).into_response(StatusCode::OK)
}

async fn ready(State(handle): State<SchedulerHandle>) -> Response {
    readiness(&handle.health())
}

fn readiness(health: &Health) -> Response {
    let data = json!({ "ready": health.ready, "degraded": health.degraded, "zone_data": health.zone_data });
    match (health.ready, health.degraded.is_empty()) {
        (true, true) => Envelope::success("ready", data).into_response(StatusCode::OK),
        (true, false) => Envelope::success("ready, but degraded", data).into_response(StatusCode::OK),
        (false, _) => {
            let message = "this instance starts nothing now".to_owned();
            Envelope::error(Code::Unavailable, message, data).into_response(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

async fn not_allowed() -> ApiError {
    ApiError::method_not_allowed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_is_degraded_is_ready_while_it_starts_what_is_due() {
        let mut health = Health::default();
        health.degraded.push("the lock backend does not answer".to_owned());
        assert_eq!(readiness(&health).status(), StatusCode::SERVICE_UNAVAILABLE);
        health.ready = true;
        assert_eq!(readiness(&health).status(), StatusCode::OK);
    }
}
