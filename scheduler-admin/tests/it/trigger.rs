use std::{sync::Arc, time::Duration};

use axum::http::header;
use scheduler_core::{
    TraceContext, clock::ManualClock, context::JobContext, identity::JobId, job::Job, occurrence::OccurrenceKey,
    store::memory::MemoryStore,
};
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

/// A service whose one job answers with the trace it is in.
async fn traced() -> Service {
    let clock = ManualClock::new("2025-11-02T12:00:00Z".parse().expect("an instant"));
    let memory = MemoryStore::new().with_clock(Arc::new(clock.clone())).declared_shared();
    let job = Job::builder("traced").manual().run(|context: JobContext| async move {
        let headers = context.trace_context().into_iter().flat_map(TraceContext::headers);
        headers.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
    });
    Service::start_with(memory, clock, vec![job]).await
}

#[tokio::test]
async fn the_trace_of_a_request_reaches_the_body() {
    let service = traced().await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = || Call::post("/traced/trigger?wait=30s").header("traceparent", given);
    let message = async |call: Call| service.call(call).await.data()["message"].clone();
    assert_eq!(message(call()).await, format!("traceparent: {given}"));
    let stated = call().header("tracestate", "rojo=00f067aa0ba902b7").with("tracestate", "congo=t61rcWkgMzE");
    let expected = format!("traceparent: {given}\ntracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    assert_eq!(message(stated).await, expected);
    assert_eq!(message(call().header("tracestate", "no member")).await, format!("traceparent: {given}"));
}

#[tokio::test]
async fn a_malformed_trace_is_as_if_it_had_not_been_given() {
    let service = traced().await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = || Call::post("/traced/trigger?wait=30s");
    for call in [
        call(),
        call().header("traceparent", ""),
        call().header("traceparent", "hello"),
        call().header("traceparent", &given.to_uppercase()),
        call().header("traceparent", &"0".repeat(8_000)),
        call().header("traceparent", "\u{e9}\u{e9}"),
        call().header("traceparent", given).with("traceparent", given),
        call().header("tracestate", "k=v"),
    ] {
        assert_eq!(service.call(call).await.data()["message"], "");
    }
}
