use axum::http::Method;
use scheduler_core::store::Action;
use serde_json::json;

use crate::{
    service::{Call, Service},
    store::Mode,
};

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
        "/executions/1/logs",
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

#[tokio::test]
async fn an_unknown_role_is_403_and_so_is_one_without_the_permission_whatever_exists() {
    let service = Service::start().await;
    for token in ["stranger", "employee"] {
        for path in ["", "/attendance", "/unknown", "/executions/1", "/no/such/path"] {
            service.call(Call::get(path).by(token)).await.is(403, "forbidden");
        }
        service.call(Call::post("/unknown/trigger").by(token)).await.is(403, "forbidden");
    }
}

#[tokio::test]
async fn a_job_outside_one_s_scope_does_not_exist() {
    let service = Service::start().await;
    let (hidden, seen) = (service.run("attendance").await["id"].clone(), service.run("typed").await["id"].clone());
    for (token, jobs, none, some) in [
        ("payroll", &["gated", "typed"][..], "attendance", "typed"),
        ("tagged", &["attendance"], "typed", "attendance"),
    ] {
        let list = service.call(Call::get("").by(token)).await;
        let ids: Vec<_> = list.data().as_array().expect("a list").iter().map(|job| &job["job_id"]).collect();
        assert_eq!(ids, jobs, "{token}");
        for path in [format!("/{none}"), format!("/{none}/history")] {
            service.call(Call::get(&path).by(token)).await.is(404, "not_found");
        }
        let absent = service.call(Call::post(&format!("/{none}/trigger")).by(token)).await;
        let unknown = service.call(Call::post("/unknown/trigger").by(token)).await;
        unknown.is(404, "not_found");
        assert_eq!(absent.json, unknown.json, "nothing tells them apart");
        assert_eq!(service.call(Call::get(&format!("/{some}/history")).by(token)).await.status, 200);
    }
    let recent = service.call(Call::get("/executions/recent").by("payroll")).await;
    assert_eq!(recent.json["meta"]["total_items"], 1);
    assert_eq!(recent.data()[0]["id"], seen);
    let outside = service.call(Call::get(&format!("/executions/{hidden}")).by("payroll")).await;
    outside.is(404, "not_found");
    assert_eq!(outside.json, service.call(Call::get("/executions/999").by("payroll")).await.json);
    assert_eq!(service.call(Call::get(&format!("/executions/{hidden}")).by("tagged")).await.status, 200);
}

#[tokio::test]
async fn what_one_may_see_and_not_change_is_403() {
    let service = Service::start().await;
    service.call(Call::post("/attendance/trigger").by("runner")).await.is(403, "forbidden");
    assert_eq!(service.call(Call::post("/typed/trigger?wait=30s").by("runner")).await.status, 200);
}

#[tokio::test]
async fn what_is_done_and_what_is_refused_is_in_the_audit_with_who_and_from_where() {
    let service = Service::start().await;
    service.call(Call::post("/typed/trigger?wait=30s").by("runner").json(&json!({ "reason": "a try" }))).await;
    for (token, job) in
        [("hr", "typed"), ("stranger", "typed"), ("payroll", "attendance"), ("super", "unknown"), ("super", "a%2Fb")]
    {
        service.call(Call::post(&format!("/{job}/trigger")).by(token)).await;
    }
    service.call(Call::get("/unknown")).await.is(404, "not_found");
    let entries = service.audit().await;
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| {
            let record = &entry.record;
            assert_eq!((record.action, record.actor.address.as_deref()), (Action::Trigger, Some("10.0.3.7")));
            let job = record.job_id.as_ref().map(|id| id.to_string());
            (record.actor.who.clone(), job.unwrap_or_default(), record.refused.clone().unwrap_or_default())
        })
        .collect();
    let refused = |who: &str, job: &str, why: &str| (who.to_owned(), job.to_owned(), why.to_owned());
    let forbidden = "this needs the permission `scheduled_job.execute`";
    assert_eq!(
        seen,
        [
            refused("runner", "typed", ""),
            refused("hr", "typed", forbidden),
            refused("stranger", "typed", forbidden),
            refused("payroll", "attendance", "there is no such job"),
            refused("super", "unknown", "there is no such job"),
            refused("super", "", "there is no such job"),
        ]
    );
    assert_eq!(entries[0].record.actor.reason.as_deref(), Some("a try"));
}

#[tokio::test]
async fn a_refusal_stands_where_the_audit_can_t_be_written() {
    let service = Service::start().await;
    service.store.set(Mode::Away);
    service.call(Call::post("/typed/trigger").by("hr")).await.is(403, "forbidden");
}
