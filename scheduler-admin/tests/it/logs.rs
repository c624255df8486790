//! What executions say, over the API and on their page.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    execution::Progress,
    identity::ExecutionId,
    logs::LogLevel,
    store::{LogLine, Report, ReportStore as _},
};
use serde_json::{Value, json};

use crate::{
    dashboard::Browser,
    service::{Call, Service},
    store::Mode,
};

/// What no page may have as it is.
const HOSTILE: &str = "<script>alert(1)</script><img src=x>\u{202e}\u{1b}[31m";

fn line(number: u64, level: LogLevel, message: &str) -> LogLine {
    let at: DateTime<Utc> = "2025-11-02T12:00:00.250Z".parse().expect("an instant");
    let place = usize::try_from(number - 1).expect("few lines");
    let at = at + TimeDelta::seconds(i64::try_from(number).expect("few lines"));
    LogLine { place, number, at, level, target: "hris::attendance".to_owned(), message: message.to_owned() }
}

/// Has an execution say something.
async fn say(service: &Service, id: &Value, logged: u64, lines: Vec<LogLine>, progress: Option<Progress>) {
    let execution_id = ExecutionId(id.as_i64().expect("an id"));
    let report = Report { execution_id, logged, lines, progress };
    service.memory.report(&[report]).await.expect("in memory");
}

fn numbers(data: &Value) -> Vec<u64> {
    let lines = data["lines"].as_array().expect("lines");
    lines.iter().map(|line| line["number"].as_u64().expect("a number")).collect()
}

#[tokio::test]
async fn lines_are_read_page_by_page_in_the_job_s_zone() {
    let service = Service::start().await;
    let id = service.run("attendance").await["id"].clone();
    let path = format!("/executions/{id}/logs");
    assert_eq!(service.get(&path).await.data(), &json!({ "lines": [], "logged": 0, "dropped": 0, "has_more": false }));
    let lines = (1..=5).map(|number| line(number, LogLevel::Info, "wrote a page")).collect();
    say(&service, &id, 9, lines, None).await;
    let first = service.get(&format!("{path}?limit=2")).await;
    let expected = json!({
        "number": 1, "at": "2025-11-02T19:00:01.250+07:00", "level": "info", "target": "hris::attendance",
        "message": "wrote a page",
    });
    assert_eq!(first.data()["lines"][0], expected);
    assert_eq!((&first.data()["logged"], &first.data()["dropped"]), (&json!(9), &json!(4)));
    assert_eq!((numbers(first.data()), &first.data()["has_more"]), (vec![1, 2], &json!(true)));
    let rest = service.get(&format!("{path}?after=2&limit=3")).await;
    assert_eq!((numbers(rest.data()), &rest.data()["has_more"]), (vec![3, 4, 5], &json!(false)));
    assert!(numbers(service.get(&format!("{path}?after=5")).await.data()).is_empty());
    assert!(numbers(service.get(&format!("{path}?after={}", i64::MAX)).await.data()).is_empty());
}

#[tokio::test]
async fn lines_are_filtered_by_level_and_wrong_parameters_are_named() {
    let service = Service::start().await;
    let id = service.run("typed").await["id"].clone();
    let path = format!("/executions/{id}/logs");
    let levels = [LogLevel::Trace, LogLevel::Error, LogLevel::Info, LogLevel::Warn];
    say(&service, &id, 4, (1..).zip(levels).map(|(number, level)| line(number, level, "x")).collect(), None).await;
    assert_eq!(numbers(service.get(&format!("{path}?level=warn")).await.data()), [2, 4]);
    assert_eq!(numbers(service.get(&format!("{path}?level=trace")).await.data()), [1, 2, 3, 4]);
    for bad in
        ["level=loud", "level=info,warn", "level=", "limit=0", "limit=1001", "after=-1", "after=x", "after=1&after=2"]
    {
        service.get(&format!("{path}?{bad}")).await.is(422, "invalid_parameter");
    }
}

#[tokio::test]
async fn lines_are_for_who_may_see_the_job_and_say_no_secret() {
    let service = Service::start().await;
    let id = service.run("attendance").await["id"].clone();
    let path = format!("/executions/{id}/logs");
    say(&service, &id, 1, vec![line(1, LogLevel::Info, "password=hunter2")], None).await;
    assert!(service.get(&path).await.data()["lines"][0]["message"] == "password=[redacted]");
    service.call(Call::get(&path).anonymous()).await.is(401, "unauthenticated");
    service.call(Call::get(&path).by("employee")).await.is(403, "forbidden");
    service.call(Call::get(&path).by("payroll")).await.is(404, "not_found");
    assert_eq!(service.call(Call::get(&path).by("hr")).await.status, 200);
    for unknown in ["999", "0", "x", "9223372036854775808"] {
        service.get(&format!("/executions/{unknown}/logs")).await.is(404, "not_found");
    }
    service.store.set(Mode::Away);
    service.get(&path).await.is(503, "unavailable");
}

#[tokio::test]
async fn progress_is_told_wherever_an_execution_is() {
    let service = Service::start().await;
    let id = service.run("typed").await["id"].clone();
    let most = u64::try_from(i64::MAX).expect("positive");
    say(&service, &id, 0, Vec::new(), Some(Progress::new(most - 1, most))).await;
    let expected = json!({ "done": most - 1, "total": most });
    assert_eq!(service.get(&format!("/executions/{id}")).await.data()["progress"], expected);
    assert_eq!(service.get("/typed/history").await.data()[0]["progress"], expected);
    assert_eq!(service.get("/typed").await.data()["latest_execution"]["progress"], expected);
}

#[tokio::test]
async fn an_execution_s_page_shows_its_lines_escaped_and_its_progress_as_a_bar() {
    let service = Service::start().await;
    let id = service.run("attendance").await["id"].clone();
    let browser = Browser::signed_in(&service, "hr").await;
    let path = format!("/executions/{id}");
    let page = browser.get(&path).await.text;
    assert!(page.contains("No log line is kept") && !page.contains("<progress"), "{page}");
    let lines = vec![
        line(1, LogLevel::Info, "wrote 1,000 rows"),
        line(2, LogLevel::Error, HOSTILE),
        line(3, LogLevel::Warn, "Authorization: Bearer hunter2HUNTER2"),
    ];
    say(&service, &id, 1_003, lines, Some(Progress::new(40, 150))).await;
    let page = browser.get(&path).await.text;
    for expected in [
        "<progress value=\"40\" max=\"150\" aria-label=\"Progress\"></progress> 40 / 150 (26 %)",
        "1000 lines are not kept",
        "2025-11-02 19:00:01 WIB",
        "<span class=\"st bad\">✕ error</span>",
        "<span class=\"st warn\">⚠ warn</span>",
        "<bdi>wrote 1,000 rows</bdi>",
        "<bdi>hris::attendance</bdi>",
        "&lt;script&gt;",
        "[redacted]",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    for bad in ["<script>alert", "<img", "\u{202e}", "\u{1b}", "hunter2"] {
        assert!(!page.contains(bad), "{bad:?} in {page}");
    }
    say(&service, &id, 1_003, Vec::new(), Some(Progress::new(0, 0))).await;
    assert!(browser.get(&path).await.text.contains("value=\"1\" max=\"1\""), "of nothing, all is done");
}

#[tokio::test]
async fn a_page_shows_the_last_lines_unless_all_are_asked_for() {
    let service = Service::start().await;
    let id = service.run("typed").await["id"].clone();
    say(
        &service,
        &id,
        250,
        (1..=250).map(|number| line(number, LogLevel::Info, &format!("[{number}]"))).collect(),
        None,
    )
    .await;
    let mut browser = Browser::signed_in(&service, "hr").await;
    let page = browser.get(&format!("/executions/{id}")).await.text;
    assert!(page.contains("[51]") && page.contains("[250]") && !page.contains("[50]"));
    assert!(page.contains("50 lines came earlier.") && page.contains("href=\"?lines=all#log\""));
    let all = browser.get(&format!("/executions/{id}?lines=all")).await.text;
    assert!(all.contains("[1]") && all.contains("[250]") && !all.contains("came earlier"));
    browser.language = "id";
    assert!(browser.get(&format!("/executions/{id}")).await.text.contains("50 baris sebelumnya."));
}

#[tokio::test]
async fn a_page_is_read_again_while_an_execution_may_say_more() {
    let service = Service::start().await;
    let id = service.post("/gated/trigger", json!({})).await.json["data"]["id"].clone();
    let browser = Browser::signed_in(&service, "hr").await;
    let path = format!("/executions/{id}");
    let running = async {
        while service.get(&path).await.data()["status"] != "running" {
            service.clock.advance(std::time::Duration::from_millis(500));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), running).await.expect("it starts");
    assert!(browser.get(&path).await.text.contains("data-again"));
    service.gate.0.add_permits(1);
    service.ended(id.as_i64().expect("an id")).await;
    service.clock.advance(std::time::Duration::from_secs(6));
    assert!(!browser.get(&path).await.text.contains("data-again"));
}
