//! What the dashboard's pages tell.

use std::time::Duration;

use axum::http::header;
use scheduler_core::{clock::ManualClock, job::Job, store::memory::MemoryStore};

use crate::{dashboard::Browser, service::Service, store::Mode};

#[tokio::test]
async fn executions_are_found_by_status_job_instance_actor_and_a_range_of_the_service_s_own_clock() {
    let service = Service::start().await;
    service.run("typed").await;
    service.clock.advance(Duration::from_secs(2 * 60 * 60));
    service.run("failing").await;
    let browser = Browser::signed_in(&service, "super").await;
    let own = service.scheduler.handle().instance();
    let other = "6f1f3f7e-0000-4000-8000-000000000001";
    // It is 19:00 in Jakarta, and then 21:00: most of the jobs that follow a clock follow no other one, of equal ones the first.
    let home = service.get("").await;
    assert!(home.status.is_success());
    for (query, typed, failing) in [
        ("", true, true),
        ("?status=failed,timed_out,abandoned", false, true),
        ("?job=typed", true, false),
        ("?actor=super", true, true),
        ("?actor=nobody", false, false),
        (&format!("?instance={own}"), true, true),
        (&format!("?instance={other}"), false, false),
        ("?from=2025-11-02T20%3A00&hours=24", false, true),
        ("?from=2025-11-02T18%3A00&to=2025-11-02T20%3A00", true, false),
        ("?to=2025-11-02T20%3A00&hours=24", true, false),
    ] {
        let page = browser.get(&format!("/executions{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        let found = (page.text.contains("href=\"./jobs/typed\""), page.text.contains("href=\"./jobs/failing\""));
        assert_eq!(found, (typed, failing), "{query}");
    }
    let filled = browser.get("/executions?from=2025-11-02T18%3A00").await.text;
    assert!(filled.contains("value=\"2025-11-02T18:00\"") && filled.contains("From (Asia/Jakarta)"), "{filled}");
    assert_eq!(browser.get("/executions?from=yesterday").await.status, 422);
    assert_eq!(browser.get("/executions?instance=none").await.status, 422);
}

#[tokio::test]
async fn files_have_every_row_of_the_list_and_its_numbers_exactly() {
    let service = Service::start().await;
    // More than are read at once.
    for _ in 0..205 {
        service.run("typed").await;
    }
    service.run("numbers").await;
    let browser = Browser::signed_in(&service, "super").await;
    let csv = browser.get("/executions.csv?job=typed").await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(csv.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"executions.csv\"");
    let lines: Vec<_> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 206);
    let ids: std::collections::BTreeSet<_> = lines[1..].iter().map(|line| line.split(',').next()).collect();
    assert_eq!(ids.len(), 205, "each once");
    assert!(
        lines[205].starts_with("\"1\",\"typed\",\"succeeded\",\"\",\"manual\",\"1\",\"2025-11-02T12:00:00+00:00\""),
        "{}",
        lines[205]
    );
    let json = browser.get("/executions.json").await;
    assert_eq!(json.headers[header::CONTENT_TYPE], "application/json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json.text).expect("an array");
    assert_eq!(rows.len(), 206);
    assert_eq!(rows[0]["result_data"], serde_json::json!([9_007_199_254_740_993_u64, i64::MIN, u64::MAX]));
    assert_eq!(rows[0], *service.get("/executions/206").await.data(), "it is what the API tells");
    let none = browser.get("/executions.json?actor=nobody").await;
    assert_eq!(none.text, "[]\n");
    assert_eq!(browser.get("/executions.csv?actor=nobody").await.text.lines().count(), 1);
    let shown = browser.get("/executions/206").await.text;
    assert!(shown.contains("9007199254740993") && shown.contains("18446744073709551615"), "{shown}");
}

#[tokio::test]
async fn the_numbers_over_the_jobs_are_links_and_say_of_what_they_are() {
    let service = Service::start().await;
    let browser = Browser::signed_in(&service, "super").await;
    let empty = browser.get("/").await.text;
    assert!(
        empty.contains("<b>–</b> <span>succeeded, 7 d</span>") || empty.contains("<b>–</b><span>succeeded, 7 d</span>"),
        "{empty}"
    );
    service.run("typed").await;
    service.run("typed").await;
    service.run("failing").await;
    let page = browser.get("/").await.text;
    let (_, card) = page.split_once("class=\"card kpis\"").expect("they are there");
    let (card, _) = card.split_once("</div>").expect("it ends");
    for (link, number, word) in [
        ("?", "7", "Jobs"),
        ("?show=running", "0", "running"),
        ("?show=failing", "1", "failing"),
        ("?show=paused", "0", "paused"),
        ("?show=overdue", "0", "overdue"),
        ("executions?hours=168&amp;status=failed,timed_out,abandoned", "66.7 %", "succeeded, 7 d"),
        ("executions?hours=168&amp;origin=schedule", "–", "start lag p95, 7 d"),
        ("instances", "1", "Instances"),
    ] {
        let (_, one) = card.split_once(&format!("href=\"{link}\"")).unwrap_or_else(|| panic!("no {link} in {card}"));
        let one = one.split("</a>").next().expect("it ends");
        assert!(
            one.contains(&format!(">{number}</b>")) && one.contains(&format!("<span>{word}</span>")),
            "{link}: {one}"
        );
        assert_eq!(browser.get(&format!("/{}", link.replace("&amp;", "&"))).await.status, 200, "{link}");
    }
    assert_eq!(card.matches("<b").count(), card.matches("<a ").count(), "each is a link");
}

#[tokio::test]
async fn jobs_are_found_by_text_state_and_tag_at_once_and_the_address_keeps_them() {
    let service = Service::start().await;
    service.run("failing").await;
    let browser = Browser::signed_in(&service, "super").await;
    let found = async |path: &str| {
        let page = browser.get(path).await.text;
        let ids = ["attendance", "disabled", "failing", "typed"];
        let rows = ids.map(|id| page.contains(&format!("<a class=\"id\" href=\"jobs/{id}\"")));
        (rows, page)
    };
    assert_eq!(found("/").await.0, [true, true, true, true]);
    assert_eq!(found("/?q=EMPLOYEE").await.0, [true, false, false, false], "by its description");
    assert_eq!(found("/?q=hris").await.0, [true, false, false, false], "by its tag");
    assert_eq!(found("/?show=failing").await.0, [false, false, true, false]);
    let (rows, page) = found("/?q=a&tag=hris").await;
    assert_eq!(rows, [true, false, false, false]);
    assert!(page.contains("href=\"?q=a&amp;tag=hris&amp;show=failing\""), "another state keeps text and tag: {page}");
    assert!(page.contains("type=\"hidden\" name=\"tag\" value=\"hris\""), "and so does another text");
    let (rows, page) = found("/?q=a&tag=hris&show=failing").await;
    assert_eq!(rows, [false; 4]);
    assert!(page.contains("Nothing is found"), "{page}");
}

#[tokio::test]
async fn without_its_store_the_jobs_are_listed_with_what_is_due_and_their_state_is_unknown() {
    let service = Service::start().await;
    let browser = Browser::signed_in(&service, "super").await;
    service.store.set(Mode::Away);
    let page = browser.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("jobs/attendance") && page.text.contains("At 00:30 every day"), "{}", page.text);
    assert!(page.text.contains("2025-11-03 00:30:00 WIB") && page.text.contains("unknown"), "{}", page.text);
    assert!(page.text.contains("data-again") && !page.text.contains("/trigger"), "{}", page.text);
    let job = browser.get("/jobs/attendance").await;
    assert_eq!(job.status, 503);
    assert!(job.text.contains("2025-11-03 00:30:00 WIB") && job.text.contains("The store does not answer"));
    let narrow = Browser::signed_in(&service, "payroll").await;
    assert!(!narrow.get("/").await.text.contains("attendance"), "and only those that one may see");
}

#[tokio::test]
async fn a_job_s_settings_say_where_they_come_from_and_its_chain_is_a_picture_of_links() {
    let jobs = vec![
        Job::builder("first").cron("30 2 * 3 SUN#2").tz("America/New_York").retries(5).run(|| async {}),
        Job::builder("second").after(["first"]).run(|| async {}),
        Job::builder("apart").manual().run(|| async {}),
    ];
    let clock = ManualClock::new("2026-03-01T12:00:00Z".parse().expect("an instant"));
    let memory = MemoryStore::new().with_clock(std::sync::Arc::new(clock.clone()));
    let service = Service::start_with(memory, clock, jobs).await;
    let browser = Browser::signed_in(&service, "super").await;
    let first = browser.get("/jobs/first").await.text;
    let row = |name: &str| {
        let (_, row) =
            first.split_once(&format!("<code>{name}</code>")).unwrap_or_else(|| panic!("no {name}: {first}"));
        row.split("</tr>").next().expect("it ends").to_owned()
    };
    assert!(row("retries").contains("<td>5</td>") && row("retries").contains(">builder<"), "{}", row("retries"));
    assert!(row("tz").contains("America/New_York") && row("tz").contains(">builder<"));
    assert!(row("timeout").contains("no end") && row("timeout").contains(">default<"));
    assert!(row("lease_ttl").contains("30s") && row("lease_ttl").contains(">default<"));
    assert!(first.find("<code>retries</code>") < first.find("<code>enabled</code>"), "what was given comes first");
    assert!(
        first.contains("2026-03-08 03:00:00 EDT")
            && first.contains("2026-03-08: clocks go forward from 02:00 to 03:00: 02:30 is skipped, runs at 03:00"),
        "{first}"
    );
    let (_, chain) = first.split_once("class=\"chain\"").expect("there is one");
    let (chain, _) = chain.split_once("</svg>").expect("it ends");
    assert!(chain.contains("href=\"../jobs/second\"") && !chain.contains("apart"), "{chain}");
    assert!(browser.get("/jobs/apart").await.text.contains("It runs after no job"));
}

#[tokio::test]
async fn an_execution_tells_its_course_its_other_attempts_and_who_did_what_to_it() {
    let service = Service::start().await;
    let browser = Browser::signed_in(&service, "super").await;
    let run = browser.confirm("/jobs/failing/trigger", "reason=the+board+asks").await;
    let path = run.location().strip_prefix("../..").expect("it leads to the root").to_owned();
    let id = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    service.ended(id).await;
    let alone = browser.get(&path).await.text;
    assert!(alone.contains("the board asks") && alone.contains("<td>Run now</td>"), "{alone}");
    assert!(!alone.contains("Attempts at this occurrence"));
    let retried = browser.confirm(&format!("{path}/retry"), "reason=once+more").await;
    let second = retried.location().strip_prefix("../..").expect("it leads to the root").to_owned();
    let second_id = second.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    service.ended(second_id).await;
    let page = browser.get(&second).await.text;
    assert!(page.contains(&format!("href=\"../executions/{id}\"")) && page.contains("Attempt 1 / "), "{page}");
    assert!(
        page.contains("Due") && page.contains("Started") && page.contains("Finished") && page.contains("on time"),
        "{page}"
    );
    let first = browser.get(&path).await.text;
    assert!(first.contains("once more"), "who had it tried again is told: {first}");
}

#[tokio::test]
async fn a_run_is_given_parameters_and_those_that_are_none_are_told() {
    let service = Service::start().await;
    let browser = Browser::signed_in(&service, "super").await;
    let run = browser.confirm("/jobs/typed/trigger", "params=%7B%22days%22%3A+7%7D").await;
    let path = run.location().strip_prefix("../..").expect("it leads to the root").to_owned();
    let id = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    assert_eq!(service.ended(id).await["message"], "7 days");
    assert_eq!(browser.confirm("/jobs/typed/trigger", "params=%7B").await.status, 422);
    assert_eq!(browser.confirm("/jobs/typed/trigger", "params=%7B%22hours%22%3A1%7D").await.status, 422);
}

#[tokio::test]
async fn the_timeline_names_its_zone_its_marks_and_the_busiest_minute_and_draws_what_is_frequent_as_a_band() {
    let daily = |id: &str| Job::builder(id).cron("0 2 * * *").tz("Asia/Jakarta").run(|| async {});
    let jobs = vec![
        daily("one"),
        daily("two"),
        Job::builder("paused").cron("0 2 * * *").tz("Asia/Jakarta").run(|| async {}),
        Job::builder("often").every(Duration::from_secs(60)).run(|| async {}),
    ];
    let clock = ManualClock::new("2025-11-02T12:00:00Z".parse().expect("an instant"));
    let memory = MemoryStore::new().with_clock(std::sync::Arc::new(clock.clone()));
    let service = Service::start_with(memory, clock, jobs).await;
    let browser = Browser::signed_in(&service, "super").await;
    browser.confirm("/jobs/paused/pause", "").await.location();
    let page = browser.get("/timeline").await.text;
    assert!(page.contains("Asia/Jakarta (WIB)") && page.contains("now 19:00 WIB"), "{page}");
    // Also that which is due each minute is due then.
    assert!(page.contains("▲ 02:00 · 3 due at once"), "{page}");
    assert!(page.contains("2025-11-03 02:00:00 WIB"), "{page}");
    assert_eq!(page.matches("<title>often</title>").count(), 2, "a band in either picture: {page}");
    assert_eq!(page.matches("class=\"expected\" d=").count(), 4, "marks of two jobs in either picture: {page}");
    for word in ["succeeded", "failed", "running", "missed", "skipped", "to come"] {
        assert!(page.contains(word), "{word}");
    }
    let (_, narrow) = page.split_once("on-narrow").expect("there is one for phones");
    for picture in [&*page, narrow] {
        for job in ["one", "two", "paused", "often"] {
            assert!(picture.contains(&format!("<a href=\"jobs/{job}\"><text")), "{job} is a link");
        }
    }
}

#[tokio::test]
async fn what_was_missed_in_a_range_is_as_wide_on_the_timeline_as_the_time_that_it_covers() {
    let clock = ManualClock::new("2025-11-02T12:00:00Z".parse().expect("an instant"));
    let memory = MemoryStore::new().with_clock(std::sync::Arc::new(clock.clone()));
    let job = Job::builder("often").every(Duration::from_secs(300)).run(|| async {});
    let service = Service::start_with(memory, clock, vec![job]).await;
    let browser = Browser::signed_in(&service, "super").await;
    browser.confirm("/jobs/often/pause", "").await.location();
    service.clock.advance(Duration::from_secs(6 * 60 * 60));
    browser.confirm("/jobs/often/resume", "").await.location();
    let page = browser.get("/timeline").await.text;
    let (_, wide) = page.split_once("class=\"skip\" x=").expect("its row is drawn");
    let width = wide.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()?.parse::<f64>().ok());
    // Six of 36 hours of 950 units, but for the five minutes before its first and after its last one.
    assert!(width.is_some_and(|width| (150.0..160.0).contains(&width)), "{width:?} in {page}");
}
