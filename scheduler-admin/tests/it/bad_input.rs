use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::Method,
};
use futures_util::stream;

use crate::service::{Call, Service};

#[tokio::test]
async fn a_path_that_names_nothing_is_404() {
    let service = Service::start().await;
    let long = "x".repeat(10_000);
    let ids = [
        "unknown",
        "ATTENDANCE",
        "workflows",
        "..",
        ".",
        "%2E%2E",
        "a%2Fb",
        "attendance%2F",
        "attendance%20",
        "%27%20OR%201=1--",
        "%22attendance%22",
        "a%00b",
        "%00",
        "%FF",
        "%C3%A4",
        "attendance%",
        "%25",
        &long,
    ];
    for id in ids {
        service.get(&format!("/{id}")).await.is(404, "not_found");
        service.get(&format!("/{id}/history")).await.is(404, "not_found");
        service.get(&format!("/{id}/next")).await.is(404, "not_found");
        for action in ["trigger", "pause", "resume", "skip", "backfill"] {
            service.call(Call::post(&format!("/{id}/{action}"))).await.is(404, "not_found");
        }
    }
    for id in ["0", "-1", "+1", "1.0", "1e3", "abc", "9223372036854775807", "9223372036854775808", "%00", "%FF", &long]
    {
        service.get(&format!("/executions/{id}")).await.is(404, "not_found");
        for action in ["cancel", "retry"] {
            service.call(Call::post(&format!("/executions/{id}/{action}"))).await.is(404, "not_found");
        }
    }
    for path in [
        "//",
        "/attendance/",
        "/attendance/unknown",
        "//history",
        "/executions/1/2",
        "/a/b/c/d",
        "/executions/",
        "/executions",
        "/executions/history",
    ] {
        service.get(path).await.is(404, "not_found");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_405() {
    let service = Service::start().await;
    let cases = [
        (Method::POST, "", "GET,HEAD"),
        (Method::DELETE, "/", "GET,HEAD"),
        (Method::PUT, "/attendance", "GET,HEAD"),
        (Method::OPTIONS, "/attendance", "GET,HEAD"),
        (Method::GET, "/attendance/trigger", "POST"),
        (Method::GET, "/attendance/pause", "POST"),
        (Method::DELETE, "/executions/1/cancel", "POST"),
        (Method::POST, "/instances", "GET,HEAD"),
        (Method::POST, "/audit", "GET,HEAD"),
        (Method::POST, "/attendance/history", "GET,HEAD"),
        (Method::POST, "/executions/recent", "GET,HEAD"),
        (Method::PATCH, "/executions/1", "GET,HEAD"),
    ];
    for (method, path, allowed) in cases {
        let answer = service.call(Call::new(method, path)).await;
        answer.is(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allowed, "{path}");
    }
}

#[tokio::test]
async fn a_bad_parameter_is_422_and_named() {
    let service = Service::start().await;
    let lists = ["/attendance/history", "/executions/recent"];
    let bad = [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "%2B1"),
        ("limit", ""),
        ("limit", "ten"),
        ("limit", "1.5"),
        ("limit", "99999999999999999999"),
        ("limit", "%D9%A1"),
        ("limit", "1&limit=2"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("page", ""),
        ("page", "18446744073709551615"),
        ("page", "9223372036854775807"),
        ("page", "461168601842738791"),
        ("page", "1&page=1"),
        ("cursor", ""),
        ("cursor", "e"),
        ("cursor", "x"),
        ("cursor", "5"),
        ("cursor", "e-1"),
        ("cursor", "e1-00000000"),
        ("cursor", "effffffffffffffff-00000000"),
        ("cursor", "e%00"),
        ("cursor", "e1&page=1"),
        ("origin", "clock"),
        ("origin", ""),
        ("instance", "node-1"),
        ("instance", "%00"),
        ("from", "yesterday"),
        ("from", "2025-11-03"),
        ("from", "2025-11-03T00:30:00"),
        ("from", "2025-02-30T00:00:00Z"),
        ("from", "2016-12-31T23:59:60Z"),
        ("from", "%2B262143-01-01T00:00:00Z"),
        ("to", "2025-11-03T24:30:00Z"),
        ("to", "2025-11-03T00:00:00Z&from=2025-11-03T00:00:00Z"),
        ("to", "2025-11-03T00:00:00Z&from=2025-11-04T00:00:00Z"),
        ("status", ""),
        ("status", "done"),
        ("status", "failed,"),
        ("status", "FAILED"),
        ("status", "%00"),
        ("status", "failed&status=missed"),
        ("status", "%FF"),
    ];
    for list in lists {
        for (name, value) in bad {
            let answer = service.get(&format!("{list}?{name}={value}")).await;
            answer.is(422, "invalid_parameter");
            assert_eq!(answer.json["data"]["parameter"], name, "{name}={value}");
            assert!(answer.message().contains(name), "{}", answer.message());
        }
    }
    for hours in ["0", "169", "-1", "", "day", "24&hours=24"] {
        let answer = service.get(&format!("/executions/recent?hours={hours}")).await;
        answer.is(422, "invalid_parameter");
        assert_eq!(answer.json["data"]["parameter"], "hours");
    }
    for (path, name) in [
        ("/executions/recent?hours=1&from=2025-11-03T00:00:00Z", "hours"),
        ("/executions/recent?job=a%2Fb", "job"),
        ("/audit?action=delete", "action"),
        ("/audit?execution=0", "execution"),
        ("/audit?execution=9223372036854775808", "execution"),
        ("/audit?page=1", "page"),
        ("/audit?limit=101", "limit"),
        ("/audit?cursor=e1-00000000", "cursor"),
        ("/attendance/next?count=0", "count"),
        ("/attendance/next?count=1001", "count"),
    ] {
        let answer = service.get(path).await;
        answer.is(422, "invalid_parameter");
        assert_eq!(answer.json["data"]["parameter"], name, "{path}");
    }
    let allowed = service.get("/executions/recent?status=done").await;
    assert!(allowed.message().contains("pending, running, succeeded, failed, timed_out"), "{}", allowed.message());
}

#[tokio::test]
async fn a_parameter_s_ends_are_taken_and_unknown_names_are_left_alone() {
    let service = Service::start().await;
    for query in [
        "limit=1",
        "limit=100",
        "page=1",
        "page=1000000",
        "hours=1",
        "hours=168",
        "colour=blue",
        "&&",
        "status=failed,missed",
        "from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
        "from=2025-11-03T00:30:00+07:00",
        "from=2025-11-03T00:30:00%2B07:00",
        "actor=%00%E2%80%AE",
        "job=unknown",
    ] {
        assert_eq!(service.get(&format!("/executions/recent?{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn a_bad_wait_or_idempotency_key_is_422_and_runs_nothing() {
    let service = Service::start().await;
    for wait in ["", "0s", "999ms", "61s", "2m", "30", "-1s", "soon", "1s&wait=1s", "99999999999d"] {
        let answer = service.call(Call::post(&format!("/typed/trigger?wait={wait}"))).await;
        answer.is(422, "invalid_parameter");
        assert_eq!(answer.json["data"]["parameter"], "wait", "{wait}");
    }
    let long = "k".repeat(201);
    for key in ["", "with space", "tab\there", "ünïcode", &long] {
        let answer = service.call(Call::post("/typed/trigger").header("idempotency-key", key)).await;
        answer.is(422, "invalid_parameter");
        assert_eq!(answer.json["data"]["parameter"], "Idempotency-Key", "{key}");
    }
    let mut twice = Call::post("/typed/trigger").header("idempotency-key", "a").into_request();
    twice.headers_mut().append("idempotency-key", "b".parse().expect("a value"));
    crate::service::send(service.app.clone(), twice).await.is(422, "invalid_parameter");
    assert_eq!(service.get("/executions/recent").await.json["meta"]["total_items"], 0);
}

#[tokio::test]
async fn a_bad_body_says_what_is_wrong_with_it_and_runs_nothing() {
    let service = Service::start().await;
    let cases: &[(&[u8], u16, &str)] = &[
        (b"{", 400, "not JSON"),
        (b"not json", 400, "not JSON"),
        (b"  ", 400, "not JSON"),
        (b"{}{}", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"null", 422, "an object"),
        (b"[]", 422, "an object"),
        (br#"[{"days": 1}, "why"]"#, 422, "an object"),
        (b"3", 422, "an object"),
        (br#"{"parms": {}}"#, 422, "`parms`"),
        (br#"{"reason": 3}"#, 422, "`reason`"),
        (br#"{"params": {"days": "three"}}"#, 422, "`params`"),
        (br#"{"params": {"day": 3}}"#, 422, "`day`"),
        (br#"{"params": 3}"#, 422, "`params`"),
    ];
    for (body, status, says) in cases {
        let call = Call::post("/typed/trigger").header("content-type", "application/json").body(body.to_vec());
        let answer = service.call(call).await;
        answer.is(*status, "invalid_body");
        assert!(answer.message().contains(says), "{}", answer.message());
    }
    let deep = "[".repeat(60_000);
    let call = Call::post("/typed/trigger").header("content-type", "application/json").body(deep);
    service.call(call).await.is(400, "invalid_body");
    assert_eq!(service.get("/executions/recent").await.json["meta"]["total_items"], 0);
}

#[tokio::test]
async fn a_body_of_another_type_is_415() {
    let service = Service::start().await;
    service.call(Call::post("/typed/trigger").body("{}")).await.is(415, "unsupported_media_type");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let call = Call::post("/typed/trigger").header("content-type", kind).body("{}");
        service.call(call).await.is(415, "unsupported_media_type");
    }
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        let call = Call::post("/typed/trigger").header("content-type", kind).body("{}");
        assert_eq!(service.call(call).await.status, 202, "{kind}");
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_413_with_and_without_a_length() {
    let service = Service::start().await;
    let json = || Call::post("/attendance/trigger").header("content-type", "application/json");
    let mut fits = br#"{"reason": "long"}"#.to_vec();
    fits.resize(64 * 1024, b' ');
    let mut over = fits.clone();
    over.push(b' ');
    service.call(json().body(over)).await.is(413, "body_too_large");
    let endless = stream::iter(std::iter::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1024]))));
    service.call(json().body(Body::from_stream(endless))).await.is(413, "body_too_large");
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("the line broke"))]);
    service.call(json().body(Body::from_stream(broken))).await.is(400, "invalid_body");
    assert_eq!(service.call(json().body(fits)).await.status, 202);
}
