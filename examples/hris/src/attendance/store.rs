//! Where attendance rows are kept.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::NaiveDate;
use thiserror::Error;

use crate::workforce::Employee;

/// The part of an `absent` row that is the employee's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbsentRow {
    /// From 1.
    pub employee_id: i32,
    /// The employee's unit, if any.
    pub org_unit_id: Option<i32>,
}

impl AbsentRow {
    /// The row of this employee. A unit of 0 is proto3's word for none.
    #[must_use]
    pub fn of(employee: &Employee) -> Self {
        let org_unit_id = Some(employee.employee_org_unit_id).filter(|id| *id != 0);
        Self { employee_id: employee.employee_id, org_unit_id }
    }
}

/// Why rows could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttendanceStoreError {
    /// The store refuses at least one of the rows, and has written none of them.
    #[error("refused: {0}")]
    Refused(String),
    /// The store can't be had; whether the rows are written is not known.
    #[error("the attendance store can't be had")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where attendance rows are kept.
#[async_trait]
pub trait AttendanceStore: Debug + Send + Sync + 'static {
    /// Gives each employee an `absent` row for the date, unless there is a row, and returns how many were created.
    ///
    /// All of them or, on an error, none. An employee appears once.
    ///
    /// # Errors
    /// When a row is refused, or the store can't be had.
    async fn insert_absent(&self, date: NaiveDate, rows: &[AbsentRow]) -> Result<u64, AttendanceStoreError>;
}
