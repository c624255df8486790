use std::time::Duration;

use axum::http::header;
use scheduler_core::{identity::JobId, occurrence::OccurrenceKey};
use serde_json::json;

use crate::{
    service::{Call, Service},
    store::Mode,
};

#[tokio::test]
async fn a_trigger_answers_202_with_the_execution_and_where_it_is_read() {
    let service = Service::start().await;
    for call in [
        Call::post("/typed/trigger"),
        Call::post("/typed/trigger").header("content-type", "text/plain"),
        Call::post("/typed/trigger").json(&json!({})),
        Call::post("/typed/trigger").json(&json!({ "params": null, "reason": null })),
        Call::post("/typed/trigger").json(&json!({ "params": { "days": 3 }, "reason": "a test" })),
    ] {
        let answer = service.call(call).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let data = &answer.json["data"];
        assert_eq!((&data["origin"], &data["triggered_by"]), (&json!("manual"), &json!("super")));
        let url = format!("/api/v1/scheduled-jobs/executions/{}", data["id"]);
        assert_eq!(data["url"], url);
        assert_eq!(answer.headers[header::LOCATION], url);
        assert_eq!(service.get(&format!("/executions/{}", data["id"])).await.data()["id"], data["id"]);
    }
}

#[tokio::test]
async fn params_reach_the_body() {
    let service = Service::start().await;
    let body = json!({ "params": { "days": 3 } });
    let answer = service.call(Call::post("/typed/trigger?wait=1m").json(&body)).await;
    assert_eq!(answer.data()["message"], "3 days");
}

#[tokio::test]
async fn a_disabled_job_runs_on_request() {
    let service = Service::start().await;
    assert_eq!(service.run("disabled").await["status"], "succeeded");
}

#[tokio::test]
async fn waiting_ends_with_202_when_time_runs_out() {
    let service = Service::start().await;
    let waits = service.call(Call::post("/gated/trigger?wait=1s"));
    let time_goes_by = async {
        service.store.looked.notified().await;
        service.clock.advance(Duration::from_secs(1));
    };
    let (answer, ()) = tokio::join!(waits, time_goes_by);
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(matches!(answer.json["data"]["status"].as_str(), Some("pending" | "running")), "{answer:?}");
}

#[tokio::test]
async fn a_job_that_runs_is_409_with_its_execution() {
    let service = Service::start().await;
    let first = service.post("/gated/trigger", json!({})).await;
    let second = service.post("/gated/trigger", json!({})).await;
    second.is(409, "already_running");
    assert_eq!(second.json["data"]["execution_id"], first.json["data"]["id"]);
    assert_eq!(second.json["data"]["url"], first.json["data"]["url"]);

    service.gate.0.add_permits(2);
    let occurrence = first.json["data"]["occurrence"].as_str().expect("a key").to_owned();
    let (job, occurrence) = (JobId::parse("gated").expect("a valid id"), OccurrenceKey::from_stored(occurrence));
    let ended = service.scheduler.handle().wait(&job, &occurrence, Duration::from_secs(30)).await;
    let ended = ended.expect("an answer").expect("a row");
    assert!(ended.status.is_final());
    assert_eq!(service.run("gated").await["status"], "succeeded");
}

#[tokio::test]
async fn the_same_request_under_its_idempotency_key_is_200_and_runs_once() {
    let service = Service::start().await;
    let call = |body| Call::post("/typed/trigger").header("idempotency-key", "order-7").json(&body);
    let first = service.call(call(json!({ "params": { "days": 1 } }))).await;
    assert_eq!(first.status, 202);
    let again = service.call(call(json!({ "reason": null, "params": { "days": 1 } }))).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json["data"]["id"], first.json["data"]["id"]);
    assert_eq!(again.headers[header::LOCATION], first.headers[header::LOCATION]);
    service.call(call(json!({ "params": { "days": 2 } }))).await.is(409, "idempotency_conflict");
    assert_eq!(service.get("/typed/history").await.json["meta"]["total_items"], 1);
}

#[tokio::test]
async fn a_repetition_may_wait_for_the_end_of_the_first() {
    let service = Service::start().await;
    let call = |path| Call::post(path).header("idempotency-key", "order-8");
    let first = service.call(call("/gated/trigger")).await;
    assert_eq!(first.status, 202);
    service.gate.0.add_permits(1);
    let again = service.call(call("/gated/trigger?wait=30s")).await;
    assert_eq!(again.data()["id"], first.json["data"]["id"]);
    assert_eq!(again.data()["status"], "succeeded");
}

#[tokio::test]
async fn a_store_that_goes_away_while_somebody_waits_leaves_the_run_requested() {
    let service = Service::start().await;
    service.store.set(Mode::ReadsAway);
    let answer = service.call(Call::post("/gated/trigger?wait=30s")).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json["data"]["status"], "pending");
}
