//! The batches and the counts, on stores that refuse.

use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::stream;

use super::*;

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 11, 3).expect("a day")
}

fn employees(ids: impl IntoIterator<Item = i32>) -> Vec<Employee> {
    ids.into_iter().map(|employee_id| Employee { employee_id, ..Default::default() }).collect()
}

/// Refuses some employees, and writes down the size of each batch.
#[derive(Debug, Default)]
struct Picky {
    refused: Vec<i32>,
    away_after: Option<usize>,
    batches: Mutex<Vec<usize>>,
    rows: MemoryAttendance,
}

#[async_trait]
impl AttendanceStore for Picky {
    async fn insert_absent(&self, date: NaiveDate, rows: &[AbsentRow]) -> Result<u64, AttendanceStoreError> {
        let batches = {
            let mut batches = self.batches.lock().expect("no panic");
            batches.push(rows.len());
            batches.len()
        };
        if self.away_after.is_some_and(|after| batches > after) {
            return Err(AttendanceStoreError::Unavailable("gone".into()));
        }
        if let Some(row) = rows.iter().find(|row| self.refused.contains(&row.employee_id)) {
            return Err(AttendanceStoreError::Refused(format!("employee {}", row.employee_id)));
        }
        self.rows.insert_absent(date, rows).await
    }
}

async fn run(portions: Vec<Vec<Employee>>, store: &Picky) -> Result<AttendanceReport, AttendanceError> {
    create_absent_rows(date(), stream::iter(portions.into_iter().map(Ok)), store, |_, _| {}).await
}

fn counts(report: AttendanceReport) -> (u64, u64, u64, u64) {
    (report.total_employees, report.created, report.skipped, report.errors)
}

#[tokio::test]
async fn rows_are_written_in_batches_of_a_thousand() {
    let store = Picky::default();
    let report =
        run(vec![employees(1..=700), employees(701..=1400), employees(1401..=2100)], &store).await.expect("writes");
    assert_eq!(counts(report), (2100, 2100, 0, 0));
    assert_eq!(*store.batches.lock().expect("no panic"), [1000, 1000, 100]);

    let report = run(vec![employees(1..=2101)], &store).await.expect("writes");
    assert_eq!(counts(report), (2101, 1, 2100, 0));
}

#[tokio::test]
async fn refused_rows_are_found_and_the_others_written() {
    let store = Picky { refused: vec![1, 2, 500, 1000], ..Default::default() };
    let report = run(vec![employees(1..=1000)], &store).await.expect("writes");
    assert_eq!(counts(report), (1000, 996, 0, 4));
    assert_eq!(store.rows.rows_of(date()), 996);
    assert!(store.batches.lock().expect("no panic").len() < 80, "halving takes few statements");
}

#[tokio::test]
async fn employees_without_id_are_counted_as_errors() {
    let store = Picky::default();
    let report = run(vec![employees([0, 5, -3])], &store).await.expect("writes");
    assert_eq!(counts(report), (3, 1, 0, 2));
    assert!(!report.all_failed());
    assert!(run(vec![employees([0, -1])], &store).await.expect("counts").all_failed());
}

#[tokio::test]
async fn nobody_is_no_failure_and_no_statement() {
    let store = Picky::default();
    assert_eq!(counts(run(vec![vec![]], &store).await.expect("writes")), (0, 0, 0, 0));
    assert!(store.batches.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn progress_is_told_page_by_page_and_ends_with_all() {
    let store = Picky { refused: vec![7], ..Default::default() };
    let page = |ids, total| Ok(EmployeePage { employees: employees(ids), total });
    let told = Mutex::new(Vec::new());
    let tell = |done, total| told.lock().expect("no panic").push((done, total));
    // The last page brings more than were announced.
    let pages = [page(1..=1_000, 1_500), page(1_001..=1_500, 1_500), page(1_501..=1_700, 1_500)];
    create_absent_rows(date(), stream::iter(pages), &store, tell).await.expect("writes");
    let expected = [(1_000, 1_500), (1_000, 1_500), (1_000, 1_700), (1_700, 1_700)];
    assert_eq!(*told.lock().expect("no panic"), expected);
}

#[tokio::test]
async fn a_store_that_goes_away_fails_the_attempt() {
    let store = Picky { away_after: Some(1), ..Default::default() };
    let error = run(vec![employees(1..=3000)], &store).await.expect_err("is away");
    assert!(matches!(error, AttendanceError::Store(AttendanceStoreError::Unavailable(_))), "{error}");
    assert_eq!(store.batches.lock().expect("no panic").len(), 2, "is not asked again");
}

#[tokio::test]
async fn a_page_that_cannot_be_had_fails_the_attempt_and_keeps_the_batches_before() {
    let store = Picky::default();
    let pages = vec![Ok(employees(1..=1000)), Err(WorkforceError::NoPagination { page: 2 })];
    let error =
        create_absent_rows(date(), stream::iter(pages), &store, |_, _| {}).await.expect_err("has no second page");
    assert!(matches!(error, AttendanceError::Workforce(_)), "{error}");
    assert_eq!(store.rows.rows_of(date()), 1000);
}
