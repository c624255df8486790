//! Employees from a CSV file.

use std::{collections::HashMap, io::Read};

use csv::{ReaderBuilder, StringRecord};
use thiserror::Error;

use super::Employee;

/// The columns, in any order; all but the first may be left out.
const COLUMNS: [&str; 7] = [
    "employee_id",
    "employee_number",
    "employee_name",
    "employee_email",
    "employee_org_unit_id",
    "is_active",
    "employee_type",
];

/// The values that `employee_type` may have.
const TYPES: [&str; 3] = ["on_site", "hybrid", "ho"];

/// Why a file is no list of employees.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CsvError {
    /// It can't be read, or a line has more or fewer fields than the first.
    #[error("can't read the employees")]
    Read(#[from] csv::Error),
    /// The first line names a column that employees do not have, or names one twice.
    #[error("line 1: {problem} column `{column}`; the columns are {}", COLUMNS.join(", "))]
    Column {
        /// Which: unknown, repeated or missing.
        problem: &'static str,
        /// The column.
        column: String,
    },
    /// A field does not hold what its column says.
    #[error("line {line}: `{column}` is `{value}`, but must be {expected}")]
    Value {
        /// Counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// Two lines give the same id.
    #[error("line {line}: the employee id {id} is already on line {first}")]
    Repeated {
        /// Counted from 1.
        line: u64,
        /// The id.
        id: i32,
        /// The line that gave it first.
        first: u64,
    },
}

/// Reads employees from CSV text, UTF-8 with or without a byte order mark.
///
/// The first line names the columns, in any order: `employee_id`, `employee_number`, `employee_name`,
/// `employee_email`, `employee_org_unit_id`, `is_active` (`true` or `false`) and `employee_type` (`on_site`, `hybrid`
/// or `ho`). All but `employee_id` may be left out: an employee is then active, on site, and in no unit.
///
/// # Errors
/// The first mistake, with its line.
pub fn employees_from_csv(text: impl Read) -> Result<Vec<Employee>, CsvError> {
    let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let columns = Columns::of(reader.headers()?)?;
    let mut employees = Vec::new();
    let mut lines = HashMap::new();
    for record in reader.records() {
        let record = record?;
        let row = Row { line: record.position().map_or(0, csv::Position::line), columns: &columns, record: &record };
        let employee = row.employee()?;
        if let Some(first) = lines.insert(employee.employee_id, row.line) {
            return Err(CsvError::Repeated { line: row.line, id: employee.employee_id, first });
        }
        employees.push(employee);
    }
    Ok(employees)
}

/// Where each of [`COLUMNS`] stands.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn of(headers: &StringRecord) -> Result<Self, CsvError> {
        let mut columns = [None; COLUMNS.len()];
        for (position, name) in headers.iter().enumerate() {
            let name = if position == 0 { name.trim_start_matches('\u{feff}') } else { name };
            let error = |problem| CsvError::Column { problem, column: name.to_owned() };
            let column = COLUMNS.iter().position(|column| *column == name).ok_or_else(|| error("unknown"))?;
            if columns[column].replace(position).is_some() {
                return Err(error("repeated"));
            }
        }
        match columns[0] {
            Some(_) => Ok(Self(columns)),
            None => Err(CsvError::Column { problem: "missing", column: COLUMNS[0].to_owned() }),
        }
    }
}

/// One line.
struct Row<'a> {
    line: u64,
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl Row<'_> {
    fn employee(&self) -> Result<Employee, CsvError> {
        Ok(Employee {
            employee_id: self.parse(
                0,
                |id| id.parse().ok().filter(|id| *id > 0),
                "a whole number from 1 to 2147483647",
            )?,
            employee_number: self.field(1).unwrap_or_default().to_owned(),
            employee_name: self.field(2).unwrap_or_default().to_owned(),
            employee_email: self.field(3).unwrap_or_default().to_owned(),
            employee_org_unit_id: match self.field(4) {
                None | Some("") => 0,
                Some(_) => self.parse(4, |id| id.parse().ok(), "a whole number, or empty")?,
            },
            is_active: self.field(5).is_none()
                || self.parse(5, |text| text.to_lowercase().parse().ok(), "true or false")?,
            employee_type: match self.field(6) {
                None | Some("") => TYPES[0].to_owned(),
                Some(_) => {
                    self.parse(6, |text| TYPES.contains(&text).then(|| text.to_owned()), "on_site, hybrid or ho")?
                }
            },
        })
    }

    fn field(&self, column: usize) -> Option<&str> {
        self.columns.0[column].and_then(|position| self.record.get(position))
    }

    fn parse<T>(
        &self,
        column: usize,
        parse: impl Fn(&str) -> Option<T>,
        expected: &'static str,
    ) -> Result<T, CsvError> {
        let text = self.field(column).unwrap_or_default();
        parse(text).ok_or_else(|| CsvError::Value {
            line: self.line,
            column: COLUMNS[column],
            value: text.to_owned(),
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let error = employees_from_csv(text.as_bytes()).expect_err("has a mistake");
        match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    }

    #[test]
    fn columns_stand_in_any_order() {
        let text = "\u{feff}is_active, employee_id ,employee_name,employee_type\r\nfalse,7,\"Ayu, S.Kom\",ho\r\nTRUE,8,Budi,\r\n";
        let employees = employees_from_csv(text.as_bytes()).expect("is well-formed");
        assert_eq!(employees.len(), 2);
        assert_eq!(
            (employees[0].employee_id, employees[0].is_active, employees[0].employee_name.as_str()),
            (7, false, "Ayu, S.Kom")
        );
        assert_eq!((employees[0].employee_type.as_str(), employees[1].employee_type.as_str()), ("ho", "on_site"));
    }

    #[test]
    fn an_id_is_enough() {
        let employees = employees_from_csv("employee_id\n1\n2\n".as_bytes()).expect("is well-formed");
        assert!(employees.iter().all(|employee| employee.is_active && employee.employee_org_unit_id == 0));
    }

    #[test]
    fn mistakes_name_their_line() {
        assert_eq!(
            error("employee_id\n1\n0\n"),
            "line 3: `employee_id` is `0`, but must be a whole number from 1 to 2147483647"
        );
        assert_eq!(error("employee_id,is_active\n1,yes\n"), "line 2: `is_active` is `yes`, but must be true or false");
        assert_eq!(
            error("employee_id,employee_type\n1,home\n"),
            "line 2: `employee_type` is `home`, but must be on_site, hybrid or ho"
        );
        assert_eq!(error("employee_id\n5\n6\n5\n"), "line 4: the employee id 5 is already on line 2");
        assert!(error("employee_id,is_active\n1,true\n2\n").contains("line: 3"), "a short line");
    }

    #[test]
    fn a_header_with_mistakes_is_refused() {
        assert!(error("id\n1\n").starts_with("line 1: unknown column `id`; the columns are employee_id, "));
        assert!(error("employee_id,employee_id\n1,1\n").starts_with("line 1: repeated column `employee_id`"));
        assert!(error("employee_name\nAyu\n").starts_with("line 1: missing column `employee_id`"));
        assert!(error("").starts_with("line 1: missing column `employee_id`"));
    }
}
