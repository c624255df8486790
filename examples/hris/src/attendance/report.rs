//! What the attendance job answers.

use std::fmt;

use chrono::NaiveDate;
use scheduler::outcome::Outcome;
use serde::Serialize;

/// What became of the employees: created, skipped and errors add up to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AttendanceReport {
    /// The day, in the job's zone.
    pub date: NaiveDate,
    /// The employees received, each once.
    pub total_employees: u64,
    /// Those who got a row.
    pub created: u64,
    /// Those who had one.
    pub skipped: u64,
    /// Those without an id, and those whose row was refused.
    pub errors: u64,
}

impl AttendanceReport {
    /// Nobody yet.
    #[must_use]
    pub fn new(date: NaiveDate) -> Self {
        Self { date, total_employees: 0, created: 0, skipped: 0, errors: 0 }
    }

    /// Whether there were employees, and each of them failed.
    #[must_use]
    pub fn all_failed(&self) -> bool {
        self.errors > 0 && self.errors == self.total_employees
    }
}

impl fmt::Display for AttendanceReport {
    /// The predecessor's words, which its users look for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date: _, total_employees, created, skipped, errors } = self;
        let word = if self.all_failed() { "gagal" } else { "selesai" };
        write!(
            f,
            "Auto-create attendance {word}. Total: {total_employees}, Created: {created}, Skipped: {skipped}, Errors: {errors}"
        )
    }
}

impl From<AttendanceReport> for Outcome {
    /// Succeeded, unless every employee failed.
    fn from(report: AttendanceReport) -> Self {
        let message = report.to_string();
        let outcome = if report.all_failed() { Self::failed(message) } else { Self::succeeded(message) };
        outcome.with_data(report)
    }
}

#[cfg(test)]
mod tests {
    use scheduler::outcome::Verdict;
    use serde_json::json;

    use super::*;

    fn report(created: u64, skipped: u64, errors: u64) -> AttendanceReport {
        let date = NaiveDate::from_ymd_opt(2025, 11, 2).expect("a day");
        AttendanceReport { date, total_employees: created + skipped + errors, created, skipped, errors }
    }

    #[test]
    fn the_answer_is_the_predecessors_to_the_letter() {
        let outcome = Outcome::from(report(150, 0, 0));
        assert_eq!(outcome.verdict(), Verdict::Succeeded);
        assert_eq!(
            outcome.message(),
            Some("Auto-create attendance selesai. Total: 150, Created: 150, Skipped: 0, Errors: 0")
        );
        let data = json!({"date": "2025-11-02", "total_employees": 150, "created": 150, "skipped": 0, "errors": 0});
        assert_eq!(outcome.data(), Some(&data));
    }

    #[test]
    fn only_when_every_employee_failed_does_the_run_fail() {
        assert_eq!(Outcome::from(report(0, 0, 3)).verdict(), Verdict::Failed);
        assert_eq!(Outcome::from(report(0, 1, 3)).verdict(), Verdict::Succeeded);
        assert_eq!(Outcome::from(report(0, 0, 0)).verdict(), Verdict::Succeeded);
    }
}
