//! What operators do to jobs and executions.

use std::time::Duration;

use axum::http::header;
use scheduler_core::{job::Job, store::Action};
use serde_json::{Value, json};

use crate::service::{Call, Service};

#[tokio::test]
async fn a_paused_job_says_who_why_since_and_until_when_and_is_resumed() {
    let service = Service::start().await;
    let body = json!({ "reason": "the payroll is closed", "until": "2025-11-04T00:00:00+07:00" });
    let paused = service.post("/attendance/pause", body).await;
    let pause = json!({
        "since": "2025-11-02T19:00:00+07:00",
        "by": "super",
        "reason": "the payroll is closed",
        "until": "2025-11-04T00:00:00+07:00",
    });
    assert_eq!(paused.data(), &json!({ "job_id": "attendance", "paused": true, "pause": pause }));
    let job = service.get("/attendance").await.data().clone();
    assert_eq!((&job["paused"], &job["pause"], &job["next_run"]), (&json!(true), &pause, &Value::Null));

    let again = service.post("/attendance/pause", json!({})).await;
    again.is(409, "already_paused");
    assert_eq!(again.json["data"]["pause"], pause);

    let resumed = service.post("/attendance/resume", json!({ "reason": "done" })).await;
    assert_eq!(resumed.data(), &json!({ "job_id": "attendance", "paused": false, "pause": null }));
    service.post("/attendance/resume", json!({})).await.is(409, "not_paused");
    assert_eq!(service.get("/attendance").await.data()["next_run"], "2025-11-03T00:30:00+07:00");
    let past = service.post("/attendance/pause", json!({ "until": "2025-11-02T19:00:00+07:00" })).await;
    past.is(422, "invalid_body");
    assert_eq!(past.json["data"]["field"], "until");
}

#[tokio::test]
async fn the_next_occurrences_are_in_the_job_s_zone_whether_it_is_paused_or_not() {
    let service = Service::start().await;
    service.call(Call::post("/attendance/pause")).await;
    let next = service.get("/attendance/next?count=2").await;
    let expected =
        [json!({"scheduled_at": "2025-11-03T00:30:00+07:00"}), json!({"scheduled_at": "2025-11-04T00:30:00+07:00"})];
    assert_eq!(next.data(), &json!(expected));
    assert_eq!(service.get("/attendance/next").await.data().as_array().map(Vec::len), Some(10));
    assert_eq!(service.get("/typed/next").await.data(), &json!([]));
}

#[tokio::test]
async fn one_occurrence_to_come_is_skipped_once() {
    let service = Service::start().await;
    let body = json!({ "scheduled_at": "2025-11-03T00:30:00+07:00", "reason": "a holiday" });
    let skipped = service.post("/attendance/skip", body.clone()).await;
    assert_eq!(skipped.status, 201, "{skipped:?}");
    let row = &skipped.json["data"];
    assert_eq!(
        (&row["status"], &row["reason"], &row["message"]),
        (&json!("skipped"), &json!("by_request"), &json!("a holiday"))
    );
    assert_eq!(skipped.headers[header::LOCATION], row["url"].as_str().expect("a url"));
    let again = service.post("/attendance/skip", body).await;
    again.is(409, "already_decided");
    assert_eq!(again.json["data"]["execution_id"], row["id"]);
    for at in ["2025-11-03T00:31:00+07:00", "2025-11-02T00:30:00+07:00"] {
        let answer = service.post("/attendance/skip", json!({ "scheduled_at": at })).await;
        answer.is(422, "invalid_body");
        assert_eq!(answer.json["data"]["field"], "scheduled_at");
    }
}

#[tokio::test]
async fn a_dry_run_lists_what_a_backfill_would_run_and_what_it_refuses() {
    let service = Service::start().await;
    let range = |dry_run: bool| json!({ "from": "2025-10-31T00:00:00+07:00", "to": "2025-11-04T00:00:00+07:00", "dry_run": dry_run });
    let dry = service.post("/attendance/backfill", range(true)).await;
    let seen: Vec<_> = dry.data()["occurrences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            (
                row["scheduled_at"].as_str().expect("an instant"),
                row["answer"].as_str().expect("a word"),
                &row["refusal"],
            )
        })
        .collect();
    let expected = [
        ("2025-10-31T00:30:00+07:00", "waits", &Value::Null),
        ("2025-11-01T00:30:00+07:00", "waits", &Value::Null),
        ("2025-11-02T00:30:00+07:00", "waits", &Value::Null),
        ("2025-11-03T00:30:00+07:00", "refused", &json!("undecided")),
    ];
    assert_eq!(seen, expected);
    assert_eq!((&dry.data()["waits"], &dry.data()["refused"]), (&json!(3), &json!(1)));
    assert_eq!(service.get("/attendance/history").await.json["meta"]["total_items"], 0, "nothing was done");

    let done = service.post("/attendance/backfill", range(false)).await;
    assert_eq!((done.status.as_u16(), &done.json["data"]["waits"]), (202, &json!(3)));
    assert!(done.json["data"]["occurrences"][0]["execution_id"].is_i64());
    let rows = service.get("/attendance/history?origin=backfill").await;
    assert_eq!(rows.json["meta"]["total_items"], 3);
    let again = service.post("/attendance/backfill", range(true)).await;
    assert_eq!(again.data()["waits"], 0);
    assert_eq!(again.data()["occurrences"][0]["refusal"], "has_run");
    assert_eq!(again.data()["occurrences"][0]["execution_id"], done.json["data"]["occurrences"][0]["execution_id"]);
}

#[tokio::test]
async fn a_backfill_s_range_is_checked() {
    let service = Service::start().await;
    let at = |text: &str| json!(text);
    for (from, to, field) in [
        (Value::Null, at("2025-11-02T00:00:00Z"), "from"),
        (at("2025-11-02T00:00:00Z"), Value::Null, "to"),
        (at("2025-11-02T00:00:00Z"), at("2025-11-02T00:00:00Z"), "to"),
        (at("2025-11-02"), at("2025-11-03T00:00:00Z"), "from"),
        (json!(5), at("2025-11-03T00:00:00Z"), "from"),
        (at("2024-11-02T00:00:00Z"), at("2025-11-02T00:00:00Z"), "to"),
    ] {
        let answer = service.post("/each_minute/backfill", json!({ "from": from, "to": to })).await;
        answer.is(422, "invalid_body");
        assert_eq!(answer.json["data"]["field"], field, "{from} {to}");
    }
    let long = "r".repeat(1_001);
    for body in [
        json!({ "reason": long }),
        json!({ "reason": 5 }),
        json!({ "dry_run": "no", "from": "2025-11-02T00:00:00Z", "to": "2025-11-02T00:01:00Z" }),
    ] {
        let path = if body.get("dry_run").is_some() { "/each_minute/backfill" } else { "/attendance/pause" };
        service.post(path, body).await.is(422, "invalid_body");
    }
}

#[tokio::test]
async fn a_running_execution_is_asked_to_stop_and_one_that_waits_is_stopped() {
    let service = Service::start().await;
    let run = service.post("/gated/trigger", json!({})).await.json["data"].clone();
    // Whether it was taken meanwhile is the engine's.
    let stopped = service.post(&format!("/executions/{}/cancel", run["id"]), json!({ "reason": "wrong day" })).await;
    assert!(matches!(stopped.status.as_u16(), 200 | 202), "{stopped:?}");
    assert_eq!(stopped.json["data"]["id"], run["id"]);
    let range = json!({ "from": "2025-11-02T00:00:00+07:00", "to": "2025-11-03T00:00:00+07:00" });
    service.post("/disabled/pause", json!({})).await;
    let filled =
        service.post("/attendance/backfill", range).await.json["data"]["occurrences"][0]["execution_id"].clone();
    let ended = service.ended(filled.as_i64().expect("an id")).await;
    assert_eq!(ended["status"], "succeeded");
    let answer = service.post(&format!("/executions/{filled}/cancel"), json!({})).await;
    answer.is(409, "already_ended");
    assert_eq!((&answer.json["data"]["status"], &answer.json["data"]["execution_id"]), (&json!("succeeded"), &filled));
    let refused = service.audit().await.pop().expect("it is there").record;
    assert_eq!((refused.action, refused.job_id.as_ref().map(|id| id.as_str())), (Action::Cancel, Some("attendance")));
    assert!(refused.refused.is_some());
}

#[tokio::test]
async fn a_failed_execution_is_retried_and_one_that_succeeded_is_not() {
    let service = Service::start().await;
    let failed = service.run("failing").await;
    let retry = format!("/executions/{}/retry", failed["id"]);
    let next = service.post(&retry, json!({ "reason": "mended" })).await;
    assert_eq!(next.status, 202, "{next:?}");
    assert_eq!((&next.json["data"]["attempt"], &next.json["data"]["status"]), (&json!(2), &json!("pending")));
    assert_eq!(next.headers[header::LOCATION], next.json["data"]["url"].as_str().expect("a url"));
    let again = service.post(&retry, json!({})).await;
    again.is(409, "not_retryable");
    assert_eq!(again.json["data"]["execution_id"], next.json["data"]["id"]);
    let succeeded = service.run("typed").await["id"].clone();
    service.post(&format!("/executions/{succeeded}/retry"), json!({})).await.is(409, "not_retryable");
    service.post("/executions/999/retry", json!({})).await.is(404, "not_found");
}

#[tokio::test]
async fn whatever_is_done_or_refused_is_in_the_audit_with_actor_reason_and_address() {
    let service = Service::start().await;
    service.post("/attendance/pause", json!({ "reason": "moving" })).await;
    service.post("/attendance/pause", json!({ "reason": "again" })).await;
    service.call(Call::post("/attendance/resume").by("hr")).await.is(403, "forbidden");
    service.call(Call::post("/attendance/skip").by("payroll")).await.is(404, "not_found");
    service.post("/executions/77/cancel", json!({})).await.is(404, "not_found");
    let list = service.get("/audit").await;
    let rows = list.data().as_array().expect("a list");
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (row["action"].as_str().expect("a word"), row["actor"].as_str().expect("a name"), row["refused"].is_null())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("cancel", "super", false),
            ("skip", "payroll", false),
            ("resume", "hr", false),
            ("pause", "super", false),
            ("pause", "super", true)
        ]
    );
    assert!(rows.iter().all(|row| row["address"] == "10.0.3.7"), "{rows:?}");
    assert_eq!(
        (&rows[4]["reason"], &rows[4]["before"], &rows[4]["after"]["paused"]),
        (&json!("moving"), &json!({"paused": false}), &json!(true))
    );
    assert_eq!(rows[4]["at"], "2025-11-02T19:00:00+07:00");
    assert_eq!((&rows[0]["job_id"], &rows[0]["execution_id"]), (&Value::Null, &json!(77)));
    assert!(service.audit().await.iter().all(|entry| entry.record.action != Action::Trigger));

    let ids = |answer: &crate::service::Answer| {
        answer
            .data()
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| row["id"].as_i64().expect("an id"))
            .collect::<Vec<_>>()
    };
    let all = ids(&list);
    assert_eq!(ids(&service.get("/audit?action=pause,skip&actor=super").await), all[3..]);
    assert_eq!(ids(&service.get("/audit?execution=77").await), all[..1]);
    assert_eq!(ids(&service.get("/audit?job=attendance&to=2025-11-02T12:00:00Z").await), Vec::<i64>::new());
    assert_eq!(ids(&service.call(Call::get("/audit").by("tagged")).await), all[1..], "what is of no job is not theirs");
    assert_eq!(ids(&service.call(Call::get("/audit").by("payroll")).await), Vec::<i64>::new());
    let mut page = service.get("/audit?limit=2").await;
    let mut read = ids(&page);
    while let Some(cursor) = page.json["meta"]["next_cursor"].as_str() {
        page = service.get(&format!("/audit?limit=2&cursor={cursor}")).await;
        read.extend(ids(&page));
    }
    assert_eq!(read, all);
}

#[tokio::test]
async fn instances_are_listed_with_the_one_that_answers() {
    let service = Service::start().await;
    let instances = service.get("/instances").await.data().clone();
    let own = instances.as_array().expect("a list").iter().find(|one| one["answers"] == true).expect("it is there");
    assert_eq!(own["instance"], service.scheduler.handle().instance().to_string());
    assert_eq!((&own["alive"], &own["pid"]), (&json!(true), &json!(std::process::id())));
}

#[tokio::test]
async fn executions_are_found_by_origin_instance_actor_job_and_time() {
    let service = Service::start().await;
    let first = service.run("typed").await["id"].clone();
    service.clock.advance(Duration::from_secs(600));
    let second = service.call(Call::post("/typed/trigger?wait=30s").by("runner")).await.data()["id"].clone();
    let found = async |query: &str| {
        let answer = service.get(&format!("/executions/recent?job=typed&{query}")).await;
        answer.data().as_array().expect("a list").iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("origin=manual").await, [second.clone(), first.clone()]);
    assert_eq!(found("origin=schedule,catch_up").await, Vec::<Value>::new());
    assert_eq!(found("actor=runner").await, std::slice::from_ref(&second));
    assert_eq!(
        found(&format!("instance={}", service.scheduler.handle().instance())).await,
        [second.clone(), first.clone()]
    );
    assert_eq!(found("instance=00000000-0000-0000-0000-000000000000").await, Vec::<Value>::new());
    assert_eq!(found("from=2025-11-02T12:05:00Z").await, [second]);
    assert_eq!(found("to=2025-11-02T12:05:00Z").await, [first]);
    let history = service.get("/typed/history?actor=runner").await;
    assert_eq!(history.json["meta"]["total_items"], 1);
}

#[tokio::test]
async fn a_cursor_of_another_list_or_of_other_filters_is_refused() {
    let service = Service::start().await;
    for _ in 0..2 {
        service.run("typed").await;
        service.run("attendance").await;
    }
    let cursor =
        async |path: &str| service.get(path).await.json["meta"]["next_cursor"].as_str().expect("a cursor").to_owned();
    let own = cursor("/typed/history?limit=1").await;
    assert_eq!(service.get(&format!("/typed/history?limit=5&cursor={own}")).await.status, 200);
    for path in ["/attendance/history?", "/executions/recent?", "/typed/history?status=failed&", "/audit?"] {
        service.get(&format!("{path}cursor={own}")).await.is(422, "invalid_parameter");
    }
    let audit = cursor("/audit?limit=1").await;
    service.get(&format!("/executions/recent?cursor={audit}")).await.is(422, "invalid_parameter");
}

#[tokio::test]
async fn who_has_an_answer_already_is_told_304() {
    let service = Service::start().await;
    service.run("typed").await;
    for path in ["", "/typed/history", "/executions/recent", "/audit", "/typed", "/typed/next"] {
        let first = service.get(path).await;
        let tag = first.headers[header::ETAG].to_str().expect("a tag").to_owned();
        for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = service.call(Call::get(path).header("if-none-match", &given)).await;
            assert_eq!(
                (again.status.as_u16(), again.headers[header::ETAG].to_str().ok()),
                (304, Some(&*tag)),
                "{path}"
            );
        }
        let stale = service.call(Call::get(path).header("if-none-match", "\"0\"")).await;
        assert_eq!(stale.status, 200, "{path}");
    }
    let before = service.get("/typed/history").await.headers[header::ETAG].to_str().expect("a tag").to_owned();
    service.run("typed").await;
    let changed = service.call(Call::get("/typed/history").header("if-none-match", &before)).await;
    assert_eq!(changed.status, 200);
    assert!(!service.get("/unknown").await.headers.contains_key(header::ETAG));
}

#[tokio::test]
async fn whole_numbers_beyond_what_a_double_holds_stay_exact() {
    let service = Service::start().await;
    let run = service.run("numbers").await;
    let text = service.text(&format!("/executions/{}", run["id"])).await;
    for number in ["9007199254740993", "-9223372036854775808", "18446744073709551615"] {
        assert!(text.contains(number), "{text}");
    }
}

#[tokio::test]
async fn a_job_that_only_another_instance_has_is_paused_and_tells_what_is_next_here() {
    let service = Service::start().await;
    let other = Job::builder("elsewhere").cron("30 0 * * *").tz("Asia/Jakarta").run(|| async {});
    let other = Service::start_with(service.memory.clone(), service.clock.clone(), vec![other]).await;
    let next = service.get("/elsewhere/next?count=1").await;
    assert_eq!(next.data(), &json!([{ "scheduled_at": "2025-11-03T00:30:00+07:00" }]));
    assert_eq!(service.post("/elsewhere/pause", json!({})).await.data()["pause"]["since"], "2025-11-02T12:00:00+00:00");
    assert_eq!(other.get("/elsewhere").await.data()["paused"], true);
    service.call(Call::post("/elsewhere/pause").by("tagged")).await.is(404, "not_found");
    service.call(Call::get("/elsewhere/next").by("payroll")).await.is(404, "not_found");
}
