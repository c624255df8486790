//! Employees to show the service with.

use super::Employee;

const GIVEN_NAMES: [&str; 15] = [
    "Adi", "Ayu", "Bayu", "Citra", "Dewi", "Eka", "Fajar", "Gita", "Hadi", "Indah", "Joko", "Kartika", "Lestari",
    "Made", "Putri",
];
const FAMILY_NAMES: [&str; 10] =
    ["Santoso", "Wijaya", "Pratama", "Nugroho", "Saputra", "Hidayat", "Siregar", "Kusuma", "Wibowo", "Halim"];
const TYPES: [&str; 3] = ["on_site", "hybrid", "ho"];

/// 180 employees, 150 of them active: every sixth has left.
#[must_use]
pub fn demo_employees() -> Vec<Employee> {
    (1..=180).map(demo_employee).collect()
}

fn demo_employee(id: i32) -> Employee {
    let index = id as usize - 1;
    let given = GIVEN_NAMES[index % GIVEN_NAMES.len()];
    let family = FAMILY_NAMES[index / GIVEN_NAMES.len() % FAMILY_NAMES.len()];
    Employee {
        employee_id: id,
        employee_number: format!("HRIS-{id:04}"),
        employee_name: format!("{given} {family}"),
        employee_email: format!("{}.{}.{id}@example.com", given.to_lowercase(), family.to_lowercase()),
        employee_org_unit_id: 1 + id % 8,
        is_active: id % 6 != 0,
        employee_type: TYPES[index % TYPES.len()].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_and_fifty_demo_employees_are_active() {
        let employees = demo_employees();
        assert_eq!(employees.len(), 180);
        assert_eq!(employees.iter().filter(|employee| employee.is_active).count(), 150);
    }
}
