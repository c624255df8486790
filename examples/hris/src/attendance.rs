//! Attendance: a row for each employee and day.

mod memory;
mod postgres;
mod report;
mod store;

use chrono::NaiveDate;
use futures_util::{Stream, StreamExt as _};
use thiserror::Error;
use tracing::{info, warn};

pub use memory::MemoryAttendance;
pub use postgres::{ConnectError, PostgresAttendance};
pub use report::AttendanceReport;
pub use store::{AbsentRow, AttendanceStore, AttendanceStoreError};

use crate::workforce::{Employee, EmployeePage, WorkforceError};

/// How many rows one statement writes.
const BATCH: usize = 1000;

/// So many refused rows are named in the log; the others are only counted.
const REFUSALS_LOGGED: u64 = 20;

/// Why the rows could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttendanceError {
    /// A page of employees can't be had.
    #[error(transparent)]
    Workforce(#[from] WorkforceError),
    /// The store can't be had. A row that it refuses is no such error, but counted.
    #[error("the attendance rows can't be written")]
    Store(#[source] AttendanceStoreError),
}

/// Gives each of the employees an `absent` row for the date, unless they have a row.
///
/// The pages hold each employee once, and are of any size; at most one of them and a thousand rows are held. After each,
/// `progress` is told how many employees are done, and of how many.
/// An employee without an id, and one whose row the store refuses, is counted as an error, and the others go on.
///
/// # Errors
/// When the stream ends with an error, or the store can't be had. The rows written by then stay, and are skipped the
/// next time.
///
/// # Cancel safety
/// Dropped half-way, it leaves whole batches written.
pub async fn create_absent_rows(
    date: NaiveDate,
    pages: impl Stream<Item = Result<impl Into<EmployeePage> + Send, WorkforceError>> + Send,
    store: &dyn AttendanceStore,
    progress: impl Fn(u64, u64) + Send,
) -> Result<AttendanceReport, AttendanceError> {
    let mut writer = Writer { store, date, batch: Vec::with_capacity(BATCH), report: AttendanceReport::new(date) };
    let mut pages = std::pin::pin!(pages.enumerate());
    let mut total = 0;
    while let Some((nth, page)) = pages.next().await {
        let page = page?.into();
        for employee in &page.employees {
            writer.add(employee).await?;
        }
        let AttendanceReport { total_employees: received, created, skipped, errors, .. } = writer.report;
        // The service may say too few, or nothing of it.
        total = page.total.max(received);
        info!(page = nth + 1, received, total, created, skipped, errors, "took a page of employees");
        progress(writer.done(), total);
    }
    writer.write().await?;
    progress(writer.done(), total);
    Ok(writer.report)
}

/// Gathers rows to batches, and counts what becomes of them.
struct Writer<'a> {
    store: &'a dyn AttendanceStore,
    date: NaiveDate,
    batch: Vec<AbsentRow>,
    report: AttendanceReport,
}

impl Writer<'_> {
    async fn add(&mut self, employee: &Employee) -> Result<(), AttendanceError> {
        self.report.total_employees += 1;
        if employee.employee_id <= 0 {
            self.count_error(employee.employee_id, "it is no id");
            return Ok(());
        }
        self.batch.push(AbsentRow::of(employee));
        if self.batch.len() == BATCH { self.write().await } else { Ok(()) }
    }

    /// Writes the batch. A refused part is halved until the refused rows are found.
    async fn write(&mut self) -> Result<(), AttendanceError> {
        let mut batch = std::mem::take(&mut self.batch);
        let mut parts = vec![batch.as_slice()];
        while let Some(rows) = parts.pop() {
            if rows.is_empty() {
                continue;
            }
            match self.store.insert_absent(self.date, rows).await {
                Ok(created) => {
                    self.report.created += created;
                    self.report.skipped += (rows.len() as u64).saturating_sub(created);
                }
                Err(AttendanceStoreError::Refused(reason)) => match rows {
                    [row] => self.count_error(row.employee_id, &reason),
                    _ => {
                        let (left, right) = rows.split_at(rows.len() / 2);
                        parts.extend([right, left]);
                    }
                },
                Err(error) => return Err(AttendanceError::Store(error)),
            }
        }
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    /// How many employees are done.
    fn done(&self) -> u64 {
        self.report.created + self.report.skipped + self.report.errors
    }

    fn count_error(&mut self, employee_id: i32, reason: &str) {
        self.report.errors += 1;
        if self.report.errors <= REFUSALS_LOGGED {
            warn!(employee_id, date = %self.date, reason, "no attendance row for this employee; counts it and goes on");
        }
    }
}

#[cfg(test)]
mod tests;
