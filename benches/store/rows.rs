//! What the table says of a window, beside what the bodies saw.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use scheduler_tests::Database;

use crate::runs::Window;

/// Occurrences by the status of their first attempt; a range of missed ones counts as many as it has in the window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    by_status: BTreeMap<String, i64>,
}

impl Rows {
    pub(crate) async fn read(database: &Database, window: Window) -> Result<Self, String> {
        let query = "
            SELECT status::text,
                   sum(CASE WHEN missed_from IS NULL THEN 1
                            ELSE 1 + floor(extract(epoch FROM least(scheduled_at, $3) - greatest(missed_from, $1)) / $4::bigint)
                       END)::bigint
            FROM job_executions
            WHERE attempt = 1 AND scheduled_at >= $1 AND coalesce(missed_from, scheduled_at) < $2
            GROUP BY status";
        let (from, to, last) = (at(window.from), at(window.to), at(window.to - window.period));
        let rows = database.client.query(query, &[&from, &to, &last, &window.period]).await;
        let rows = rows.map_err(|error| format!("the table can't be counted: {error}"))?;
        Ok(Self { by_status: rows.iter().map(|row| (row.get(0), row.get(1))).collect() })
    }

    pub(crate) fn of(&self, statuses: &[&str]) -> i64 {
        statuses.iter().filter_map(|status| self.by_status.get(*status)).sum()
    }

    /// Those that a body ran for, and whose outcome is known.
    pub(crate) fn ended(&self) -> i64 {
        self.of(&["succeeded", "failed", "cancelled"])
    }

    /// Those that wait or run.
    pub(crate) fn open(&self) -> i64 {
        self.of(&["pending", "running"])
    }

    pub(crate) fn all(&self) -> i64 {
        self.by_status.values().sum()
    }
}

/// How many executions ended a second between two moments.
pub(crate) async fn ended_per_second(database: &Database, from: f64, to: f64) -> f64 {
    let query = format!(
        "SELECT count(*) FROM job_executions
         WHERE started_at IS NOT NULL AND finished_at >= to_timestamp({from}) AND finished_at < to_timestamp({to})"
    );
    database.number(&query).await as f64 / (to - from)
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).expect("a time of this century")
}
