//! Attendance rows in memory, for the service without a database.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::NaiveDate;

use super::{AbsentRow, AttendanceStore, AttendanceStoreError};

/// Attendance rows in memory: they end with the process, and only this instance has them.
#[derive(Debug, Default)]
pub struct MemoryAttendance(Mutex<BTreeMap<(NaiveDate, i32), AbsentRow>>);

impl MemoryAttendance {
    /// How many rows this date has.
    #[must_use]
    pub fn rows_of(&self, date: NaiveDate) -> usize {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.range((date, i32::MIN)..=(date, i32::MAX)).count()
    }
}

#[async_trait]
impl AttendanceStore for MemoryAttendance {
    async fn insert_absent(&self, date: NaiveDate, rows: &[AbsentRow]) -> Result<u64, AttendanceStoreError> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut created = 0;
        for row in rows {
            if let Entry::Vacant(entry) = table.entry((date, row.employee_id)) {
                entry.insert(*row);
                created += 1;
            }
        }
        Ok(created)
    }
}
