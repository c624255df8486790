use std::time::Duration;

use scheduler_core::job::Job;
use serde_json::{Value, json};

use crate::service::{Answer, Service};

fn ids(answer: &Answer) -> Vec<i64> {
    answer.data().as_array().expect("a list").iter().map(|row| row["id"].as_i64().expect("an id")).collect()
}

async fn run_times(service: &Service, times: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    for _ in 0..times {
        ids.push(service.run("typed").await["id"].as_i64().expect("an id"));
    }
    ids.reverse();
    ids
}

#[tokio::test]
async fn an_execution_has_its_fields_in_its_job_s_zone() {
    let service = Service::start().await;
    let run = service.run("attendance").await;
    let answer = service.get(&format!("/executions/{}", run["id"])).await;
    let mut execution = answer.data().clone();
    let fields = execution.as_object_mut().expect("an object");
    let occurrence = fields.remove("occurrence").expect("an occurrence");
    assert!(occurrence.as_str().is_some_and(|key| key.starts_with("m:")));
    assert_eq!(fields.remove("instance"), Some(json!(service.scheduler.handle().instance().to_string())));
    assert!(fields.remove("fence").is_some_and(|fence| fence.is_i64()));
    assert_eq!(
        execution,
        json!({
            "id": run["id"],
            "job_id": "attendance",
            "origin": "manual",
            "status": "succeeded",
            "success": true,
            "attempt": 1,
            "max_attempts": 4,
            "scheduled_at": "2025-11-02T19:00:00+07:00",
            "started_at": "2025-11-02T19:00:00+07:00",
            "finished_at": "2025-11-02T19:00:00+07:00",
            "duration_seconds": 0.0,
            "message": "Total: 1",
            "error_trace": null,
            "result_data": { "created": 1 },
            "reason": null,
            "triggered_by": "super",
            "progress": null,
            "created_at": "2025-11-02T19:00:00+07:00",
        })
    );
}

#[tokio::test]
async fn a_failure_is_no_success() {
    let service = Service::start().await;
    let run = service.run("failing").await;
    assert_eq!((&run["status"], &run["success"]), (&json!("failed"), &json!(false)));
    assert_eq!(run["message"], "no luck");
    assert_eq!(run["created_at"], "2025-11-02T12:00:00+00:00");
}

#[tokio::test]
async fn history_is_paged_newest_first_with_its_totals() {
    let service = Service::start().await;
    let all = run_times(&service, 5).await;
    service.run("attendance").await;

    let first = service.get("/typed/history?limit=2").await;
    assert_eq!(ids(&first), all[..2]);
    let meta = &first.json["meta"];
    assert_eq!((&meta["page"], &meta["limit"]), (&json!(1), &json!(2)));
    assert_eq!((&meta["total_items"], &meta["total_pages"]), (&json!(5), &json!(3)));
    assert!(meta["next_cursor"].is_string());

    let last = service.get("/typed/history?page=3&limit=2").await;
    assert_eq!(ids(&last), all[4..]);
    assert!(last.json["meta"]["next_cursor"].is_null());
    let beyond = service.get("/typed/history?page=4&limit=2").await;
    assert_eq!(beyond.data(), &json!([]));
    assert_eq!(beyond.json["meta"]["total_pages"], 3);
    let none = service.get("/gated/history").await;
    assert_eq!(none.data(), &json!([]));
    assert_eq!(
        none.json["meta"],
        json!({ "page": 1, "limit": 20, "total_items": 0, "total_pages": 0, "next_cursor": null })
    );
}

#[tokio::test]
async fn a_cursor_neither_repeats_nor_leaves_out_a_row_while_rows_are_added() {
    let service = Service::start().await;
    let all = run_times(&service, 5).await;
    let mut page = service.get("/typed/history?limit=2").await;
    let mut seen = ids(&page);
    while let Some(cursor) = page.json["meta"]["next_cursor"].as_str().map(str::to_owned) {
        run_times(&service, 1).await;
        page = service.get(&format!("/typed/history?limit=2&cursor={cursor}")).await;
        assert!(page.json["meta"].get("total_items").is_none());
        seen.extend(ids(&page));
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn recent_has_the_executions_of_all_jobs_within_its_hours() {
    let service = Service::start().await;
    let old = run_times(&service, 1).await;
    service.clock.advance(Duration::from_secs(2 * 60 * 60));
    let new = service.run("attendance").await["id"].as_i64().expect("an id");
    assert_eq!(ids(&service.get("/executions/recent?hours=1").await), [new]);
    let both = service.get("/executions/recent").await;
    assert_eq!(ids(&both), [new, old[0]]);
    assert_eq!(both.json["meta"]["total_items"], 2);
    assert_eq!(ids(&service.get("/executions/recent?hours=168&limit=1&page=2").await), old);
}

#[tokio::test]
async fn status_filters_history_and_recent() {
    let service = Service::start().await;
    let failed = service.run("failing").await["id"].as_i64().expect("an id");
    let succeeded = run_times(&service, 1).await[0];
    assert_eq!(ids(&service.get("/executions/recent?status=failed").await), [failed]);
    assert_eq!(ids(&service.get("/executions/recent?status=failed,succeeded").await), [succeeded, failed]);
    assert_eq!(ids(&service.get("/failing/history?status=succeeded").await), Vec::<i64>::new());
    assert_eq!(service.get("/executions/recent?status=failed").await.json["meta"]["total_items"], 1);
}

#[tokio::test]
async fn an_execution_of_a_job_that_this_instance_lacks_is_read_in_utc_and_so_is_its_history() {
    let service = Service::start().await;
    let other = Job::builder("elsewhere").cron("30 0 * * *").tz("Asia/Jakarta").run(|| async {});
    let other = Service::start_with(service.memory.clone(), service.clock.clone(), vec![other]).await;
    let run: Value = other.run("elsewhere").await;
    assert_eq!(run["scheduled_at"], "2025-11-02T19:00:00+07:00");

    let seen = service.get(&format!("/executions/{}", run["id"])).await;
    assert_eq!(seen.data()["scheduled_at"], "2025-11-02T12:00:00+00:00");
    service.get("/elsewhere").await.is(404, "not_found");
    assert_eq!(service.get("/elsewhere/history").await.data()[0], *seen.data());
}
