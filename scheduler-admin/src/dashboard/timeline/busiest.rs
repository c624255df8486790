//! The minute in which most is due.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use scheduler_core::identity::JobId;

use super::{AHEAD, Row};

/// How many occurrences of a job count: one a minute. What is due more often is due in every minute anyway.
const MOST: usize = 24 * 60;

/// The minute to come in which most jobs are due, and which these are.
pub(in crate::dashboard) struct Busiest {
    pub(super) at: DateTime<Utc>,
    pub(super) jobs: Vec<JobId>,
}

impl Busiest {
    /// Of equal ones the first; none where no two jobs are due in one minute.
    pub(super) fn of(rows: &[Row], now: DateTime<Utc>) -> Option<Self> {
        let mut minutes = BTreeMap::<DateTime<Utc>, Vec<usize>>::new();
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.runs()) {
            let due = row.job.settings().trigger.upcoming(now).take_while(|at| *at < now + AHEAD);
            let due: Vec<_> = due.take(MOST + 1).collect();
            if due.len() > MOST {
                continue;
            }
            for at in due {
                let jobs = minutes.entry(at.duration_trunc(TimeDelta::minutes(1)).ok()?).or_default();
                if jobs.last() != Some(&place) {
                    jobs.push(place);
                }
            }
        }
        let (at, jobs) =
            minutes.into_iter().rev().max_by_key(|(_, jobs)| jobs.len()).filter(|(_, jobs)| jobs.len() > 1)?;
        Some(Self { at, jobs: jobs.into_iter().map(|place| rows[place].job.settings().id.clone()).collect() })
    }
}
