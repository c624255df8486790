//! A page of employees.

use super::Employee;

/// Some employees of a list.
#[derive(Debug, Clone, Default)]
pub struct EmployeePage {
    /// They, each once in all pages.
    pub employees: Vec<Employee>,
    /// How many the whole list has, as the service says; 0 where it does not.
    pub total: u64,
}

impl From<Vec<Employee>> for EmployeePage {
    fn from(employees: Vec<Employee>) -> Self {
        Self { employees, total: 0 }
    }
}
