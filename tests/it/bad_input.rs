//! What a service answers to requests that are wrong, over HTTP.

use std::{sync::Arc, time::Duration};

use hris::auth::Role;
use scheduler::clock::ManualClock;
use scheduler_tests::Api;

use crate::team::{Team, token, tokens};

const JOBS: &str = "/api/v1/scheduled-jobs";
const JOB: &str = "/api/v1/scheduled-jobs/auto_create_daily_attendance";

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_request_has_its_code_and_starts_nothing() {
    let team = Team::start(1, &[], (3, 0), 3).await;
    let base = team.instances[0].base.clone();
    tokio::task::spawn_blocking(move || {
        callers(&base);
        requests(&Api::new(&base, Some(&token("dewi", Role::SuperAdmin))));
    })
    .await
    .expect("every answer is as it should be");
    assert_eq!(team.database.number("SELECT count(*) FROM job_executions").await, 0, "none of it started anything");
    team.stop().await;
}

fn expect(answer: scheduler_tests::Answer, status: u16, code: &str, what: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{what}: {}", answer.body);
    assert_eq!(answer.body["status"], "error", "{what}");
    assert!(answer.body["message"].as_str().is_some_and(|message| !message.is_empty()), "{what}");
}

fn callers(base: &str) {
    let with = |token: &str| Api::new(base, Some(token));
    let elsewhere =
        tokens("another secret, also of more than 32 bytes").issue("dewi", Role::SuperAdmin, Duration::from_secs(60));
    let long_ago = ManualClock::new("2020-01-01T00:00:00Z".parse().expect("an instant"));
    let secret = hris::auth::Secret::try_new(crate::team::SECRET).expect("long enough");
    let expired =
        hris::auth::Tokens::new(&secret, Arc::new(long_ago)).issue("dewi", Role::SuperAdmin, Duration::from_secs(60));
    expect(Api::new(base, None).get(JOBS), 401, "unauthenticated", "no token");
    for (token, what) in
        [("rubbish", "no token of ours"), (&elsewhere, "another's signature"), (&expired, "an expired token")]
    {
        expect(with(token).get(JOBS), 401, "unauthenticated", what);
    }
    expect(with(&unknown_role()).get(JOBS), 403, "forbidden", "an unknown role");
    expect(with(&token("siti", Role::Employee)).get(JOBS), 403, "forbidden", "an employee");
    let reader = with(&token("budi", Role::HrAdmin));
    assert_eq!(reader.get(JOBS).status, 200);
    expect(reader.post(&format!("{JOB}/trigger"), "", ""), 403, "forbidden", "a trigger by HR Admin");
    // Who is not known learns nothing of what there is.
    expect(Api::new(base, None).get(&format!("{JOBS}/no_such_job")), 401, "unauthenticated", "no token, no such job");
}

/// A well-signed token whose role is none of the service's.
fn unknown_role() -> String {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let claims = serde_json::json!({"sub": "dewi", "role": "janitor", "exp": 4_102_444_800_u64});
    let key = EncodingKey::from_secret(crate::team::SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).expect("an HMAC key signs any claims")
}

fn requests(api: &Api) {
    let get = |path: &str| api.get(&format!("{JOBS}{path}"));
    expect(get("/no_such_job"), 404, "not_found", "an unknown job");
    expect(get("/no_such_job/history"), 404, "not_found", "an unknown job's history");
    expect(api.post(&format!("{JOBS}/no_such_job/trigger"), "", ""), 404, "not_found", "an unknown job's trigger");
    for id in [
        "a%2Fb",
        "..%2F..%2Fetc",
        "%2e%2e",
        "a'b",
        "a%22b",
        "%00",
        "a;DROP%20TABLE%20job_executions",
        &"x".repeat(10_000),
    ] {
        let shown: String = id.chars().take(40).collect();
        expect(get(&format!("/{id}")), 404, "not_found", &shown);
        expect(get(&format!("/{id}/history")), 404, "not_found", &shown);
    }
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=99999999999999999999",
        "limit=0",
        "limit=101",
        "limit=",
        "status=done",
        "cursor=%ff",
    ] {
        expect(api.get(&format!("{JOB}/history?{query}")), 422, "invalid_parameter", query);
    }
    for query in ["hours=0", "hours=169", "hours=x", "limit=101"] {
        expect(get(&format!("/executions/recent?{query}")), 422, "invalid_parameter", query);
    }
    let trigger = format!("{JOB}/trigger");
    expect(api.post(&trigger, "application/json", "{not json"), 400, "invalid_body", "no JSON");
    expect(api.post(&trigger, "application/json", "[1]"), 422, "invalid_body", "no object");
    expect(api.post(&trigger, "application/json", r#"{"parms": 1}"#), 422, "invalid_body", "an unknown field");
    expect(api.post(&trigger, "text/plain", "hello"), 415, "unsupported_media_type", "text");
    let large = format!(r#"{{"reason": "{}"}}"#, "x".repeat(70_000));
    expect(api.post(&trigger, "application/json", &large), 413, "body_too_large", "over 64 KiB");
    expect(api.post(&format!("{trigger}?wait=61s"), "", ""), 422, "invalid_parameter", "a wait of over a minute");
}
