use axum::http::Method;
use serde_json::json;

use crate::service::{Call, Service};

#[tokio::test]
async fn nobody_without_a_token_gets_past_401_whatever_they_ask() {
    let service = Service::start().await;
    let paths = [
        "",
        "/",
        "/attendance",
        "/unknown",
        "/attendance/history?limit=0",
        "/executions/recent?hours=999",
        "/executions/1",
        "/executions/x",
        "/no/such/path",
        "/%FF",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = service.call(Call::new(method, path).anonymous()).await;
            answer.is(401, "unauthenticated");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert!(answer.json["data"].is_null());
        }
    }
    let call = Call::post("/attendance/trigger?wait=never").anonymous().body("not json");
    service.call(call).await.is(401, "unauthenticated");
    service.call(Call::get("").by("forged")).await.is(401, "unauthenticated");
    assert_eq!(service.get("/executions/recent").await.json["meta"]["total_items"], 0);
}

#[tokio::test]
async fn hr_reads_and_does_not_execute_and_an_employee_does_neither() {
    let service = Service::start().await;
    for path in ["", "/", "/attendance", "/attendance/history", "/executions/recent"] {
        assert_eq!(service.call(Call::get(path).by("hr")).await.status, 200, "{path}");
        let answer = service.call(Call::get(path).by("employee")).await;
        answer.is(403, "forbidden");
        assert!(answer.message().contains("scheduled_job.read"));
    }
    for job in ["attendance", "unknown"] {
        let answer = service.call(Call::post(&format!("/{job}/trigger")).by("hr").body("not json")).await;
        answer.is(403, "forbidden");
        assert!(answer.message().contains("scheduled_job.execute"));
    }
    assert_eq!(service.get("/executions/recent").await.json["meta"]["total_items"], 0);
}

#[tokio::test]
async fn an_authorizer_that_can_t_tell_is_503() {
    let service = Service::start().await;
    let answer = service.call(Call::get("").by("directory-away")).await;
    answer.is(503, "unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn an_authorizer_sees_the_path_that_the_client_sent() {
    let service = Service::start().await;
    let answer = service.call(Call::post("/typed/trigger").by("path").json(&json!({}))).await;
    assert_eq!(answer.json["data"]["triggered_by"], "/api/v1/scheduled-jobs/typed/trigger");
}
