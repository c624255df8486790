//! The whole service, in this process.

use std::time::Duration;

use hris::{
    Service, ServiceError, Settings,
    auth::{Role, Secret},
};
use jsonwebtoken::{EncodingKey, Header};
use scheduler::admin::PREFIX;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{database::Database, workforce::LOOPBACK};

fn settings() -> Settings {
    let mut settings = Settings::embedded();
    settings.http_address = LOOPBACK;
    settings
}

async fn get(service: &Service, path: &str) -> String {
    ask(service, "GET", path, "").await
}

/// An answer, with its head; `headers` end their lines.
async fn ask(service: &Service, method: &str, path: &str, headers: &str) -> String {
    let stream = TcpStream::connect(service.http_address()).await.expect("listens");
    ask_on(stream, method, path, headers).await
}

async fn ask_on(mut stream: TcpStream, method: &str, path: &str, headers: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: hris\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answers");
    answer
}

#[tokio::test]
async fn the_service_serves_what_its_jobs_are_counted_by() {
    let service = Service::start(&settings()).await.expect("starts");
    let answer = get(&service, "/metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let series = "scheduler_occurrences_total{job_id=\"auto_create_daily_attendance\",status=\"failed\",reason=\"\"} 0";
    assert!(answer.contains(series), "{answer}");
    service.stop().await;
}

#[tokio::test]
async fn the_embedded_service_asks_who_signs_in_and_stops() {
    let service = Service::start(&settings()).await.expect("starts");
    let page = get(&service, "/").await;
    assert!(page.starts_with("HTTP/1.1 303 See Other") && page.contains("location: ./sign-in?next="), "{page}");
    let address = service.http_address();
    service.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_open_stream_of_events_ends_whole_when_the_service_stops() {
    let service = Service::start(&settings()).await.expect("starts");
    let token = service.tokens().issue("ayu", Role::HrAdmin, Duration::from_secs(60));
    let mut stream = TcpStream::connect(service.http_address()).await.expect("listens");
    let request = format!("GET {PREFIX}/events HTTP/1.1\r\nhost: hris\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut heard = String::new();
    while !heard.contains("retry: ") {
        let mut part = [0; 1_024];
        let length = stream.read(&mut part).await.expect("answers");
        heard.push_str(std::str::from_utf8(&part[..length]).expect("UTF-8"));
    }
    service.stop().await;
    // A connection that is cut when the patience with it is over has no last chunk.
    stream.read_to_string(&mut heard).await.expect("UTF-8");
    assert!(heard.ends_with("\r\n0\r\n\r\n"), "{heard}");
}

#[tokio::test]
async fn the_embedded_service_takes_its_own_tokens() {
    let service = Service::start(&settings()).await.expect("starts");
    assert!(service.has_own_secret());
    let token = service.tokens().issue("ayu", Role::HrAdmin, Duration::from_secs(60));
    let identity = service.tokens().authenticate(Some(&format!("Bearer {token}"))).expect("is its own");
    assert_eq!((identity.subject.as_str(), identity.role), ("ayu", Some(Role::HrAdmin)));
    service.stop().await;
}

#[tokio::test]
async fn who_has_an_unknown_role_is_refused_and_the_audit_says_so() {
    const SECRET: &str = "a key that is as long as a key must be";
    let mut settings = settings();
    settings.jwt_secret = Some(Secret::try_new(SECRET).expect("is long enough"));
    let service = Service::start(&settings).await.expect("starts");
    let claims = json!({ "sub": "dewi", "role": "janitor", "exp": 4_102_444_800_u64 });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&Header::default(), &claims, &key).expect("signs");
    let trigger = format!("{PREFIX}/auto_create_daily_attendance/trigger");
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    let refused = ask(&service, "POST", &trigger, &format!("{}content-length: 0\r\n", bearer(&token))).await;
    assert!(refused.starts_with("HTTP/1.1 403 ") && refused.contains("\"forbidden\""), "{refused}");
    let reader = service.tokens().issue("ayu", Role::HrAdmin, Duration::from_secs(60));
    let audit = ask(&service, "GET", &format!("{PREFIX}/audit?actor=dewi"), &bearer(&reader)).await;
    let (_, body) = audit.split_once("\r\n\r\n").expect("a head and a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let entry = &body["data"][0];
    assert_eq!((&entry["action"], &entry["job_id"]), (&json!("trigger"), &json!("auto_create_daily_attendance")));
    assert!(entry["refused"].is_string(), "{body}");
    service.stop().await;
}

/// A migration may take long: whoever watches the process is told that it lives and is not ready.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_tables_are_migrated_lives_and_is_not_ready() {
    /// What instances migrate one after another under.
    const MIGRATING: i64 = 0x7363_6865_6475_6c65;
    let database = Database::create().await;
    let turn = "SELECT pg_advisory_lock($1)";
    database.client.execute(turn, &[&MIGRATING]).await.expect("another instance migrates");
    let mut settings = settings();
    settings.database_url = Some(database.url.clone());
    settings.http_address =
        std::net::TcpListener::bind(LOOPBACK).and_then(|free| free.local_addr()).expect("a free port");
    let address = settings.http_address;
    let start = tokio::spawn(async move { Service::start(&settings).await });
    let asked = async |path: &str| loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break ask_on(stream, "GET", path, "").await,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert!(asked("/healthz").await.starts_with("HTTP/1.1 200 OK"));
    let ready = asked("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("tables are migrated"), "{ready}");
    assert!(!start.is_finished());
    database.client.execute("SELECT pg_advisory_unlock($1)", &[&MIGRATING]).await.expect("it is done");
    let service = start.await.expect("no panic").expect("starts");
    assert!(get(&service, "/readyz").await.starts_with("HTTP/1.1 200 OK"));
    service.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let first = Service::start(&settings()).await.expect("starts");
    let mut taken = settings();
    taken.http_address = first.http_address();
    let error = Service::start(&taken).await.expect_err("is taken");
    assert!(matches!(error, ServiceError::Listen { address, .. } if address == first.http_address()), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("can't listen on `{}`; `HRIS_HTTP_ADDR` sets another address", first.http_address())
    );
    first.stop().await;
}
