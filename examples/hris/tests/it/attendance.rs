//! The attendance rows in a real database.

use chrono::NaiveDate;
use futures_util::{future::join_all, stream};
use hris::{
    attendance::{
        AbsentRow, AttendanceError, AttendanceReport, AttendanceStore as _, AttendanceStoreError, ConnectError,
        PostgresAttendance, create_absent_rows,
    },
    workforce::Employee,
};
use scheduler::postgres::PostgresError;
use tokio_util::sync::CancellationToken;

use crate::{database::Database, workforce::Workforce};

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 11, 3).expect("a day")
}

fn counts(report: AttendanceReport) -> (u64, u64, u64, u64) {
    (report.total_employees, report.created, report.skipped, report.errors)
}

async fn run(employees: Vec<Employee>, store: &PostgresAttendance) -> Result<AttendanceReport, AttendanceError> {
    create_absent_rows(date(), stream::iter([Ok(employees)]), store, |_, _| {}).await
}

fn employees(ids: impl IntoIterator<Item = i32>) -> Vec<Employee> {
    ids.into_iter()
        .map(|employee_id| Employee { employee_id, employee_org_unit_id: employee_id % 2, ..Default::default() })
        .collect()
}

#[tokio::test]
async fn all_active_employees_get_a_row_once() {
    let (database, workforce) = (Database::create().await, Workforce::start().await);
    let store = PostgresAttendance::connect(&database.url).await.expect("connects");
    let pages = || workforce.client().active_employees(CancellationToken::new());
    let report = create_absent_rows(date(), pages(), &store, |_, _| {}).await.expect("writes");
    assert_eq!(counts(report), (2100, 2100, 0, 0));
    assert_eq!(
        database.count("attendance_date = '2025-11-03' AND status = 'absent' AND check_in_time IS NULL").await,
        2100
    );
    let report = create_absent_rows(date(), pages(), &store, |_, _| {}).await.expect("writes");
    assert_eq!(counts(report), (2100, 0, 2100, 0));
    assert_eq!(database.count("true").await, 2100);
}

#[tokio::test]
async fn an_employee_who_is_present_stays_so() {
    let database = Database::create().await;
    let store = PostgresAttendance::connect(&database.url).await.expect("connects");
    let clock_in = "INSERT INTO attendances (employee_id, attendance_date, status) VALUES (2, '2025-11-03', 'present'), \
                    (3, '2025-11-02', 'absent')";
    database.client.batch_execute(clock_in).await.expect("clocks in");
    assert_eq!(counts(run(employees(1..=3), &store).await.expect("writes")), (3, 2, 1, 0));
    assert_eq!(database.count("employee_id = 2 AND status = 'present'").await, 1);
    assert_eq!(database.count("employee_id = 1 AND org_unit_id = 1").await, 1);
    assert_eq!(database.count("employee_id = 2 AND org_unit_id IS NULL").await, 1);
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_counted_and_the_others_written() {
    let database = Database::create().await;
    let store = PostgresAttendance::connect(&database.url).await.expect("connects");
    let rule = "ALTER TABLE attendances ADD CHECK (employee_id NOT IN (1, 400, 1500))";
    database.client.batch_execute(rule).await.expect("adds the rule");
    assert_eq!(counts(run(employees(1..=2000), &store).await.expect("writes")), (2000, 1997, 0, 3));
    assert_eq!(database.count("true").await, 1997);
}

#[tokio::test]
async fn a_table_that_is_gone_fails_the_attempt_instead_of_counting() {
    let database = Database::create().await;
    let store = PostgresAttendance::connect(&database.url).await.expect("connects");
    database.client.batch_execute("DROP TABLE attendances").await.expect("drops");
    let error = run(employees(1..=3), &store).await.expect_err("has no table");
    assert!(matches!(error, AttendanceError::Store(AttendanceStoreError::Unavailable(_))), "{error}");
}

#[tokio::test]
async fn ten_instances_that_start_at_once_make_one_table() {
    let database = Database::create().await;
    let stores = join_all((0..10).map(|_| PostgresAttendance::connect(&database.url))).await;
    assert!(stores.iter().all(Result::is_ok), "{stores:?}");
    // The same rows in opposite orders, at once: each is created once, and nobody deadlocks.
    let mut rows: Vec<_> = employees(1..=1000).iter().map(AbsentRow::of).collect();
    let forwards = rows.clone();
    rows.reverse();
    let writes = stores.iter().flatten().enumerate().map(|(nth, store)| {
        let rows = if nth % 2 == 0 { &forwards } else { &rows };
        store.insert_absent(date(), rows)
    });
    let created: u64 = join_all(writes).await.into_iter().map(|created| created.expect("writes")).sum();
    assert_eq!(created, 1000);
}

#[tokio::test]
async fn a_connection_that_broke_since_the_last_run_is_replaced() {
    let database = Database::create().await;
    let store = PostgresAttendance::connect(&database.url).await.expect("connects");
    run(employees([1]), &store).await.expect("writes");
    assert!(database.break_connections().await > 0);
    let report = run(employees([1, 2]), &store).await.expect("writes over a new connection");
    assert_eq!(counts(report), (2, 1, 1, 0));
}

#[tokio::test]
async fn an_unreachable_database_and_a_wrong_url_are_told_apart() {
    let away =
        PostgresAttendance::connect("postgres://hris:hunter2@127.0.0.1:1/hris").await.expect_err("nobody listens");
    assert!(matches!(away, ConnectError::Connect(PostgresError::Unreachable { .. })), "{away:?}");
    let wrong =
        PostgresAttendance::connect("postgres://hris:hunter2@127.0.0.1:port/hris").await.expect_err("is no URL");
    assert!(matches!(wrong, ConnectError::Connect(PostgresError::Url { .. })), "{wrong:?}");
    assert!(!format!("{away:?} {wrong:?}").contains("hunter2"));
}
