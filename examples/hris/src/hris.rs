//! What the jobs of the service work with.

use std::sync::Arc;

use crate::{attendance::AttendanceStore, workforce::WorkforceClient};

/// What the jobs of the service work with; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hris {
    workforce: WorkforceClient,
    attendance: Arc<dyn AttendanceStore>,
}

impl Hris {
    /// The employees from there, the attendance rows to here.
    #[must_use]
    pub fn new(workforce: WorkforceClient, attendance: Arc<dyn AttendanceStore>) -> Self {
        Self { workforce, attendance }
    }

    /// The Workforce Service.
    #[must_use]
    pub fn workforce(&self) -> &WorkforceClient {
        &self.workforce
    }

    /// The attendance rows.
    #[must_use]
    pub fn attendance(&self) -> &dyn AttendanceStore {
        self.attendance.as_ref()
    }
}
