use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request},
};
use scheduler_cron::zone_data_version;
use serde_json::json;

use crate::service::{Answer, Service, send};

async fn call(service: &Service, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a valid request");
    send(service.app.clone(), request).await
}

#[tokio::test]
async fn health_needs_no_token() {
    let service = Service::start().await;
    assert_eq!(call(&service, Method::GET, "/healthz").await.status, 200);
    let ready = call(&service, Method::GET, "/readyz").await;
    assert_eq!(ready.data(), &json!({ "ready": true, "degraded": [], "zone_data": zone_data_version() }));
    call(&service, Method::POST, "/readyz").await.is(405, "method_not_allowed");
}

#[tokio::test]
async fn an_instance_that_shut_down_lives_and_is_not_ready() {
    let service = Service::start().await;
    let app = service.app.clone();
    service.scheduler.shutdown(Duration::ZERO).await;
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("a valid request");
    let ready = send(app.clone(), get("/readyz")).await;
    ready.is(503, "unavailable");
    assert_eq!(ready.json["data"]["ready"], false);
    assert_eq!(ready.json["data"]["degraded"], json!(["the instance is shutting down"]));
    assert_eq!(send(app, get("/healthz")).await.status, 200);
}
