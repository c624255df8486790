use std::time::Duration;

use axum::{
    body::Body,
    http::{StatusCode, header},
};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use scheduler_admin::AdminApi;
use scheduler_core::clock::Clock as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::service::{Call, Service, Tokens, roles, send};

/// Somebody who listens to a service.
struct Listener<'a> {
    service: &'a Service,
    body: Body,
    text: String,
}

/// An event that was heard.
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    id: String,
    event: String,
    data: Value,
}

impl<'a> Listener<'a> {
    async fn of(service: &'a Service, call: Call) -> Self {
        let response = service.app.clone().oneshot(call.into_request()).await.expect("the router never fails");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let mut listener = Self { service, body: response.into_body(), text: String::new() };
        assert_eq!(listener.block().await.as_deref(), Some("retry: 1000"));
        listener
    }

    /// The next block, letting time go by until there is one; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        for _ in 0..10_000 {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            match self.body.frame().now_or_never() {
                Some(Some(frame)) => {
                    let data = frame.expect("a whole frame").into_data().expect("no trailers");
                    self.text.push_str(std::str::from_utf8(&data).expect("UTF-8"));
                }
                Some(None) => return None,
                None => {
                    tokio::task::yield_now().await;
                    self.service.clock.advance(Duration::from_millis(10));
                }
            }
        }
        panic!("nothing was heard for 100 s: {:?}", self.text);
    }

    /// The next event; signs of life are passed over.
    async fn event(&mut self) -> Heard {
        loop {
            let block = self.block().await.expect("the stream goes on");
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            if !block.starts_with(':') {
                let data = serde_json::from_str(&field("data: ")).expect("JSON");
                return Heard { id: field("id: "), event: field("event: "), data };
            }
        }
    }

    /// The statuses of a row, up to this one.
    async fn statuses(&mut self, id: &Value, last: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|status| status != last) {
            let heard = self.event().await;
            if heard.data["id"] == *id && heard.event == "execution" {
                seen.push(heard.data["status"].as_str().expect("a status").to_owned());
            }
        }
        seen
    }
}

#[tokio::test]
async fn a_run_is_heard_as_it_starts_and_ends_on_another_instance_within_two_seconds() {
    let here = Service::start().await;
    let there = Service::start_with(here.memory.clone(), here.clock.clone(), Vec::new()).await;
    let mut listener = Listener::of(&there, Call::get("/events")).await;
    let run = here.post("/gated/trigger", json!({})).await.json["data"]["id"].clone();
    let before = there.clock.uptime();
    let first = loop {
        let heard = listener.event().await;
        if heard.event == "execution" {
            break heard;
        }
    };
    assert!(there.clock.uptime() - before <= Duration::from_secs(2));
    assert_eq!((&first.data["id"], &first.data["job_id"]), (&run, &json!("gated")));
    if first.data["status"] != "running" {
        listener.statuses(&run, "running").await;
    }
    here.gate.0.add_permits(1);
    assert_eq!(listener.statuses(&run, "succeeded").await, ["succeeded"]);
}

/// What is still told of a stream, whose clock stands still: its lifetime does not end.
async fn rest(body: Body) -> String {
    let body = tokio::time::timeout(Duration::from_secs(30), body.collect()).await.expect("it ends within 30 s");
    String::from_utf8(body.expect("a whole body").to_bytes().to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn streams_end_once_the_scheduler_has_stopped() {
    let service = Service::start().await;
    let app = service.app.clone();
    let response = app.oneshot(Call::get("/events").into_request()).await.expect("the router never fails");
    service.scheduler.shutdown(Duration::ZERO).await;
    assert_eq!(rest(response.into_body()).await, "retry: 1000\n\n");
}

#[tokio::test]
async fn streams_and_waits_end_with_the_server_while_the_scheduler_runs() {
    let service = Service::start().await;
    let stop = CancellationToken::new();
    let api = AdminApi::new(service.scheduler.handle().clone(), Tokens, roles()).with_stop(stop.clone());
    let app = api.router();
    let response = app.clone().oneshot(Call::get("/events").into_request()).await.expect("the router never fails");
    let waiting = tokio::spawn(send(app, Call::post("/gated/trigger?wait=60s").into_request()));
    service.store.looked.notified().await;
    stop.cancel();
    assert_eq!(rest(response.into_body()).await, "retry: 1000\n\n");
    let answer = waiting.await.expect("no panic");
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    service.gate.0.add_permits(1);
    let ended = service.ended(answer.json["data"]["id"].as_i64().expect("an id")).await;
    assert_eq!(ended["status"], "succeeded", "the run itself goes on");
}

#[tokio::test]
async fn what_operators_do_is_heard_once() {
    let service = Service::start().await;
    let mut listener = Listener::of(&service, Call::get("/events")).await;
    service.post("/attendance/pause", json!({ "reason": "moving" })).await;
    let paused = listener.event().await;
    assert_eq!(
        (&*paused.event, &paused.data["action"], &paused.data["reason"]),
        ("audit", &json!("pause"), &json!("moving"))
    );
    service.post("/attendance/resume", json!({})).await;
    let resumed = listener.event().await;
    assert_eq!((&*resumed.event, &resumed.data["action"]), ("audit", &json!("resume")));
}

#[tokio::test]
async fn who_comes_back_to_any_instance_is_told_what_they_missed() {
    let here = Service::start().await;
    let there = Service::start_with(here.memory.clone(), here.clock.clone(), Vec::new()).await;
    let mut listener = Listener::of(&here, Call::get("/events")).await;
    here.run("typed").await;
    let last = loop {
        let heard = listener.event().await;
        if heard.data["status"] == "succeeded" {
            break heard;
        }
    };
    drop(listener);
    here.clock.advance(Duration::from_secs(60));
    let missed = here.run("failing").await["id"].clone();
    here.post("/attendance/pause", json!({})).await;
    let mut back = Listener::of(&there, Call::get("/events").header("last-event-id", &last.id)).await;
    let mut heard = vec![back.event().await, back.event().await, back.event().await, back.event().await];
    heard.retain(|heard| heard.id != last.id);
    let seen: Vec<_> =
        heard.iter().map(|heard| (&*heard.event, &heard.data["status"], &heard.data["action"])).collect();
    assert!(seen.contains(&("execution", &json!("failed"), &Value::Null)), "{heard:?}");
    assert!(
        seen.contains(&("audit", &Value::Null, &json!("pause"))) || back.event().await.data["action"] == "pause",
        "{heard:?}"
    );
    assert!(heard.iter().any(|heard| heard.data["id"] == missed));
}

#[tokio::test]
async fn who_was_away_for_long_is_told_to_read_again() {
    let service = Service::start().await;
    service.clock.advance(Duration::from_secs(2 * 60 * 60));
    let mut back =
        Listener::of(&service, Call::get("/events").header("last-event-id", "19a444c1000-e1-succeeded")).await;
    assert_eq!(back.event().await.event, "reset");
    for id in ["", "5", "../1", "zz-e1", "-1-e1"] {
        send(service.app.clone(), Call::get("/events").header("last-event-id", id).into_request())
            .await
            .is(422, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_listener_hears_of_what_they_may_read_alone() {
    let service = Service::start().await;
    let mut listener = Listener::of(&service, Call::get("/events").by("payroll")).await;
    service.run("attendance").await;
    service.post("/attendance/pause", json!({})).await;
    let run = service.run("typed").await["id"].clone();
    loop {
        let heard = listener.event().await;
        assert_eq!(heard.data["job_id"], "typed", "{heard:?}");
        if heard.data["id"] == run && heard.data["status"] == "succeeded" {
            break;
        }
    }
    send(service.app.clone(), Call::get("/events").by("employee").into_request()).await.is(403, "forbidden");
}

#[tokio::test]
async fn who_does_not_read_loses_events_and_is_told_so() {
    let service = Service::start().await;
    let mut idle = Listener::of(&service, Call::get("/events")).await;
    let mut busy = Listener::of(&service, Call::get("/events")).await;
    let (mut looks, mut actions) = (0, 0);
    while actions < 1_200 {
        for _ in 0..40 {
            service.post("/attendance/pause", json!({})).await;
            service.post("/attendance/resume", json!({})).await;
        }
        actions += 80;
        for _ in 0..80 {
            busy.event().await;
        }
        looks += 1;
    }
    assert!(looks > 10);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|event: &Heard| event.event != "reset") {
        heard.push(idle.event().await);
        assert!(heard.len() < 10, "the oldest are gone: {heard:?}");
    }
}

#[tokio::test]
async fn a_stream_shows_that_it_lives_and_ends_so_that_its_caller_is_asked_again() {
    let service = Service::start().await;
    let mut listener = Listener::of(&service, Call::get("/events")).await;
    let mut signs = 0;
    let before = service.clock.uptime();
    while let Some(block) = listener.block().await {
        assert!(block.starts_with(':'), "{block}");
        signs += 1;
    }
    let lived = service.clock.uptime() - before;
    assert!(signs >= 10 && lived >= Duration::from_secs(300) && lived < Duration::from_secs(330), "{signs} {lived:?}");
}

#[tokio::test]
async fn listening_begins_only_while_the_store_answers_and_goes_on_while_it_is_away() {
    let service = Service::start().await;
    service.store.set(crate::store::Mode::Away);
    send(service.app.clone(), Call::get("/events").into_request()).await.is(503, "unavailable");
    service.store.set(crate::store::Mode::Works);
    let mut listener = Listener::of(&service, Call::get("/events")).await;
    service.store.set(crate::store::Mode::Away);
    while !listener.block().await.expect("it goes on").starts_with(':') {}
    service.store.set(crate::store::Mode::Works);
    service.post("/attendance/pause", json!({})).await;
    assert_eq!(listener.event().await.data["action"], "pause");
}
