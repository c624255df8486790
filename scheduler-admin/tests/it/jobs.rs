use axum::http::Method;
use scheduler_core::{identity::JobId, store::Pause};
use serde_json::json;

use crate::service::{Call, Service};

#[tokio::test]
async fn all_jobs_are_listed_by_id_with_and_without_the_slash() {
    let service = Service::start().await;
    for path in ["", "/"] {
        let answer = service.get(path).await;
        let ids: Vec<_> = answer.data().as_array().expect("a list").iter().map(|job| job["job_id"].clone()).collect();
        assert_eq!(ids, ["attendance", "disabled", "each_minute", "failing", "gated", "numbers", "typed"]);
    }
}

#[tokio::test]
async fn a_job_has_its_fields_and_its_next_run_in_its_own_zone() {
    let service = Service::start().await;
    let answer = service.get("/attendance").await;
    let expected = json!({
        "job_id": "attendance",
        "name": "Daily attendance",
        "description": "Gives every active employee a row.",
        "trigger": "30 0 * * * Asia/Jakarta",
        "next_run": "2025-11-03T00:30:00+07:00",
        "enabled": true,
        "paused": false,
        "pause": null,
        "tags": ["hris"],
        "latest_execution": null,
    });
    assert_eq!(answer.data(), &expected);
    assert_eq!(service.get("/").await.data()[0], expected);
}

#[tokio::test]
async fn a_job_shows_the_newest_execution_that_started() {
    let service = Service::start().await;
    let run = service.run("attendance").await;
    let latest = &service.get("/attendance").await.data()["latest_execution"].clone();
    assert_eq!(latest["id"], run["id"]);
    assert_eq!(latest["status"], "succeeded");
    assert_eq!(latest["started_at"], "2025-11-02T19:00:00+07:00");
}

#[tokio::test]
async fn a_job_that_is_disabled_paused_or_manual_has_no_next_run() {
    let service = Service::start().await;
    let disabled = service.get("/disabled").await;
    assert_eq!((&disabled.data()["enabled"], &disabled.data()["next_run"]), (&json!(false), &json!(null)));
    let manual = service.get("/typed").await;
    assert_eq!((&manual.data()["trigger"], &manual.data()["next_run"]), (&json!("manual"), &json!(null)));

    let pause = Pause { at: service.scheduler.handle().now(), by: None, reason: None, until: None };
    service.memory.set_pause(&JobId::parse("attendance").expect("a valid id"), Some(pause));
    let paused = service.get("/attendance").await;
    assert_eq!((&paused.data()["paused"], &paused.data()["next_run"]), (&json!(true), &json!(null)));
    assert_eq!(paused.data()["enabled"], true);
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let service = Service::start().await;
    let answer = service.call(Call::new(Method::HEAD, "/attendance")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(service.call(Call::new(Method::HEAD, "/unknown")).await.status, 404);
}

#[tokio::test]
async fn the_routes_merge_with_a_service_that_has_a_fallback_of_its_own() {
    let service = Service::start().await;
    let own = axum::Router::new().route("/", axum::routing::get(async || "own")).fallback(async || "own fallback");
    let app = own.merge(service.app.clone());
    let answer = crate::service::send(app, Call::get("/no/such/path").into_request()).await;
    answer.is(404, "not_found");
}
