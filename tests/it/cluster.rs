//! Three instances on one database and one Redis: one of them does it, once.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use hris::auth::Role;
use scheduler::clock::{Clock as _, SystemClock};
use scheduler_tests::{Answer, Api, Database};
use tokio::task::spawn_blocking;

use crate::team::Team;

const TRIGGER: &str = "/api/v1/scheduled-jobs/auto_create_daily_attendance/trigger?wait=60s";

/// HTTP off the test's own runtime.
async fn post(api: Api, path: &'static str) -> Answer {
    spawn_blocking(move || api.post(path, "", "")).await.expect("the request is made")
}

fn today_in_jakarta() -> String {
    SystemClock.now().with_timezone(&chrono_tz::Asia::Jakarta).date_naive().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_gives_each_active_employee_one_row_and_the_next_one_skips_them() {
    let team = Team::start(3, &[], (2_100, 400), 1).await;
    let before = today_in_jakarta();
    let first = post(team.api(0, Role::SuperAdmin), TRIGGER).await;
    let second = post(team.api(1, Role::SuperAdmin), TRIGGER).await;
    let after = today_in_jakarta();

    assert_eq!((first.status, second.status), (200, 200), "{first:?} {second:?}");
    let said = |answer: &Answer| answer.body["data"]["message"].as_str().map(str::to_owned);
    assert_eq!(
        said(&first).as_deref(),
        Some("Auto-create attendance selesai. Total: 2100, Created: 2100, Skipped: 0, Errors: 0")
    );
    assert_eq!(
        said(&second).as_deref(),
        Some("Auto-create attendance selesai. Total: 2100, Created: 0, Skipped: 2100, Errors: 0")
    );
    let date = first.body["data"]["result_data"]["date"].as_str().expect("a date").to_owned();
    // A test that runs over midnight in Jakarta meets either day.
    assert!(date == before || date == after, "{date}");

    let database = &team.database;
    assert_eq!(database.number("SELECT count(*) FROM attendances").await, 2_100);
    let of_today = format!("SELECT count(*) FROM attendances WHERE status = 'absent' AND attendance_date = '{date}'");
    assert_eq!(database.number(&of_today).await, 2_100);
    assert_eq!(database.number("SELECT count(DISTINCT employee_id) FROM attendances").await, 2_100);
    let executions = "SELECT count(*) FROM job_executions WHERE job_id = 'auto_create_daily_attendance'";
    assert_eq!(database.number(&format!("{executions} AND success AND attempt = 1")).await, 2);
    assert_eq!(database.number(executions).await, 2);
    team.stop().await;
}

/// How long the ticks are watched, and when one instance is killed.
const WATCHED: Duration = Duration::from_secs(64);
const HALF: Duration = Duration::from_secs(32);

#[tokio::test(flavor = "multi_thread")]
async fn each_second_has_one_first_row_and_none_runs_twice_though_an_instance_is_killed() {
    let mut team = Team::start(3, &["--with-demo-tick"], (1, 0), 2).await;
    // The first second that all three are there for.
    let from = SystemClock.now().timestamp() + 2;
    tokio::time::sleep(HALF).await;
    team.instances[0].process.kill();
    let killed = team.instances.remove(0);
    tokio::time::sleep(WATCHED - HALF).await;
    let to = SystemClock.now().timestamp() - 1;
    // Until what is owed of the last seconds is decided, and what the killed instance ran is abandoned.
    wait_until_decided(&team.database, to).await;

    // A body says so when it runs.
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    for output in team.instances.iter().map(|instance| &instance.process).chain([&killed.process]) {
        for line in output.printed().lines() {
            if let Some((_, key)) = line.rsplit_once(": tick occurrence=") {
                *runs.entry(key.trim().to_owned()).or_default() += 1;
            }
        }
    }
    let twice: Vec<_> = runs.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "ran twice: {twice:?}");

    let rows = first_rows(&team.database).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for second in from..=to {
        let key = format!("s:{second}000");
        let own: Vec<&Row> = rows.iter().filter(|row| row.missed_from.is_none() && row.second == second).collect();
        let covering =
            rows.iter().filter(|row| row.missed_from.is_some_and(|from| (from..=row.second).contains(&second)));
        let found: Vec<&Row> = if own.is_empty() { covering.collect() } else { own };
        assert_eq!(found.len(), 1, "second {second} has {found:?}");
        let row = found[0];
        let is_executed = ["succeeded", "abandoned", "failed"].contains(&row.status.as_str());
        assert!(is_executed || row.reason.is_some(), "a second that did not run says why: {row:?}");
        assert!(row.status != "succeeded" || runs.contains_key(&key), "{key} is said to have run, and did not");
        *counts.entry(row.status.clone()).or_default() += 1;
    }
    assert!(counts.get("succeeded").is_some_and(|count| *count > 30), "too few ran for a test of anything: {counts:?}");
    assert_eq!(team.database.number("SELECT count(*) FROM job_executions WHERE attempt > 1").await, 0);
    team.stop().await;
}

/// A first attempt, or a range of occurrences without rows of their own.
#[derive(Debug)]
struct Row {
    second: i64,
    missed_from: Option<i64>,
    status: String,
    reason: Option<String>,
}

async fn first_rows(database: &Database) -> Vec<Row> {
    let query = "SELECT scheduled_at, missed_from, status::text, reason::text FROM job_executions
                 WHERE job_id = 'demo_tick' AND attempt = 1";
    let rows = database.client.query(query, &[]).await.expect("the table is there");
    let second = |at: DateTime<Utc>| at.timestamp();
    rows.iter()
        .map(|row| Row {
            second: second(row.get(0)),
            missed_from: row.get::<_, Option<DateTime<Utc>>>(1).map(second),
            status: row.get(2),
            reason: row.get(3),
        })
        .collect()
}

/// Waits until every occurrence up to this second is decided and none of them runs any more.
async fn wait_until_decided(database: &Database, second: i64) {
    /// A lease of 30 s, a look, and time for a slow machine.
    const PATIENCE: Duration = Duration::from_secs(60);
    let open = format!(
        "SELECT (SELECT count(*) FROM job_states WHERE job_id = 'demo_tick' AND watermark < to_timestamp({second}))
              + (SELECT count(*) FROM job_executions WHERE job_id = 'demo_tick'
                 AND status IN ('pending', 'running') AND scheduled_at <= to_timestamp({second}))"
    );
    let wait = async {
        while database.number(&open).await > 0 {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("everything is decided within a minute");
}
