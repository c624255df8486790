//! The employees, as the Workforce Service and as `psql` are told of them.

use std::fmt::Write as _;

/// How many rows one statement of `psql` inserts.
const BATCH: u32 = 1_000;

/// So many work in one unit.
const UNIT: u32 = 40;

/// This many active employees, with ids from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Employees(pub(crate) u32);

impl Employees {
    /// The file for `hris workforce`, with all its columns.
    pub(crate) fn csv(self) -> String {
        let mut csv = String::from(
            "employee_id,employee_number,employee_name,employee_email,employee_org_unit_id,is_active,employee_type\n",
        );
        for id in 1..=self.0 {
            let kind = ["on_site", "hybrid", "ho"][id as usize % 3];
            let unit = unit(id);
            writeln!(csv, "{id},EMP-{id:07},Employee Number {id},employee.{id}@example.com,{unit},true,{kind}")
                .expect("a string takes it");
        }
        csv
    }

    /// The attendance rows of a date, a statement a batch; each is a transaction of its own.
    pub(crate) fn inserts(self, date: &str) -> String {
        let mut sql = String::new();
        for first in (1..=self.0).step_by(BATCH as usize) {
            sql.push_str("INSERT INTO attendances (employee_id, org_unit_id, attendance_date, status) VALUES");
            for id in first..=self.0.min(first + BATCH - 1) {
                let comma = if id == first { "" } else { "," };
                write!(sql, "{comma}\n({id}, {}, '{date}', 'absent')", unit(id)).expect("a string takes it");
            }
            sql.push_str(";\n");
        }
        sql
    }
}

fn unit(id: u32) -> u32 {
    1 + (id - 1) / UNIT
}
