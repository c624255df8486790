//! Many requests at once.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
};
use futures_util::{FutureExt as _, future::join_all, stream};
use scheduler_admin::AdminApi;
use tower::ServiceExt as _;

use crate::service::{Call, Service, Tokens, roles, send};

async fn statuses(app: &axum::Router, requests: impl Iterator<Item = Call>) -> Vec<(StatusCode, HeaderMap)> {
    let sent = requests.map(|call| app.clone().oneshot(call.into_request()));
    let answers = join_all(sent).await;
    answers
        .into_iter()
        .map(|answer| answer.expect("the router never fails"))
        .map(|answer| (answer.status(), answer.headers().clone()))
        .collect()
}

#[tokio::test]
async fn of_ten_thousand_requests_at_once_those_beyond_the_limit_are_429_and_jobs_go_on() {
    let service = Service::start().await;
    // A body that never comes keeps its request under way.
    let stuck = || {
        let body = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        Call::post("/typed/trigger").header("content-type", "application/json").body(body)
    };
    let mut waiting: Vec<_> = (0..63).map(|_| Box::pin(service.app.clone().oneshot(stuck().into_request()))).collect();
    for request in &mut waiting {
        assert!(request.as_mut().now_or_never().is_none());
    }
    assert_eq!(service.get("").await.status, 200, "one place is left");
    let last = Box::pin(service.app.clone().oneshot(stuck().into_request()));
    waiting.push(last);
    assert!(waiting[63].as_mut().now_or_never().is_none());
    for (status, headers) in statuses(&service.app, (0..10_000).map(|_| Call::get(""))).await {
        assert_eq!((status, headers["retry-after"].to_str().ok()), (StatusCode::TOO_MANY_REQUESTS, Some("1")));
    }
    service.call(Call::get("")).await.is(429, "rate_limited");
    let handle = service.scheduler.handle();
    let run = scheduler_core::TriggerRequest::new("typed".parse().expect("a valid id"));
    let run = handle.trigger(run).await.expect("it is taken").execution;
    let ended = handle.wait(&run.job_id, &run.occurrence, std::time::Duration::from_secs(30)).await;
    assert!(ended.expect("in memory").is_some_and(|row| row.status.is_final()), "the jobs go on");
    drop(waiting);
    assert_eq!(service.get("").await.status, 200, "places are free again");
}

#[tokio::test]
async fn a_body_that_does_not_come_in_ten_seconds_is_400() {
    let service = Service::start().await;
    let body = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let mut slow = Box::pin(send(service.app.clone(), Call::post("/typed/trigger").body(body).into_request()));
    assert!(slow.as_mut().now_or_never().is_none());
    service.clock.advance(std::time::Duration::from_secs(10));
    slow.await.is(400, "invalid_body");
}

#[tokio::test]
async fn those_who_wait_and_listen_have_places_of_their_own() {
    let service = Service::start().await;
    let api = AdminApi::new(service.scheduler.handle().clone(), Tokens, roles()).with_request_limit(1);
    let app = api.router();
    let first = app.clone().oneshot(Call::get("/events").into_request()).await.expect("the router never fails");
    let mut waits = Box::pin(app.clone().oneshot(Call::post("/gated/trigger?wait=60s").into_request()));
    while waits.as_mut().now_or_never().is_none()
        && service.get("/gated/history").await.json["meta"]["total_items"] == 0
    {
        tokio::task::yield_now().await;
    }
    send(app.clone(), Call::get("").into_request()).await.data();
    service.gate.0.add_permits(1);
    drop((first, waits));
}
