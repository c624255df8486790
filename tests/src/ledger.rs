//! Holds what a database says of the past against what was promised: [`check_ledger`] over its tables, page by page.

mod chunk;
mod row;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler::{
    identity::JobId,
    job::{JobSettings, OverlapPolicy},
    store::JobRevision,
    testing::{LedgerJob, Violation, check_ledger},
};
use tokio_postgres::{Client, Error};

/// How near the switch from a revision to the next its occurrences are not held against either: the clock was read for what
/// was owed before it was read for the switch.
const SWITCH: TimeDelta = TimeDelta::seconds(1);

/// What is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSpan {
    /// The tables' schema; the search path's first unless given.
    pub schema: Option<String>,
    /// Occurrences above this instant; all unless given.
    pub from: Option<DateTime<Utc>>,
    /// Occurrences up to this instant; up to now unless given.
    pub to: Option<DateTime<Utc>>,
    /// How many rows are read at a time, or a few more: no instant and no range is cut in two.
    pub page: i64,
}

impl Default for LedgerSpan {
    fn default() -> Self {
        Self { schema: None, from: None, to: None, page: 10_000 }
    }
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// How many jobs were checked.
    pub jobs: usize,
    /// How many rows were read.
    pub executions: usize,
    /// A line for each thing that must never be.
    pub violations: BTreeSet<String>,
}

impl LedgerReport {
    fn add(&mut self, violations: Vec<Violation>) {
        self.violations.extend(violations.iter().map(ToString::to_string));
    }
}

/// A job as its state has it.
struct Known {
    job_id: JobId,
    watermark: DateTime<Utc>,
    prune_horizon: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

/// Reads `job_states`, `job_revisions` and `job_executions`, and nothing else, and recomputes each job's trigger over the
/// span. What lies above a job's watermark may not be decided yet; what lies below its prune horizon is gone.
///
/// Jobs of which a trigger can't be read, as one with a calendar's exceptions, are told of as `unread`.
///
/// # Errors
/// What the database says.
pub async fn check(client: &Client, span: &LedgerSpan) -> Result<LedgerReport, Error> {
    if let Some(schema) = &span.schema {
        client.query("SELECT set_config('search_path', quote_ident($1), false)", &[schema]).await?;
    }
    let states = "SELECT job_id, watermark, prune_horizon, clock_timestamp() AS now FROM job_states ORDER BY job_id";
    let mut report = LedgerReport::default();
    for row in client.query(states, &[]).await? {
        let known = Known {
            job_id: JobId::from_stored(row.try_get("job_id")?),
            watermark: row.try_get("watermark")?,
            prune_horizon: row.try_get("prune_horizon")?,
            now: row.try_get("now")?,
        };
        report.jobs += 1;
        check_job(client, span, &known, &mut report).await?;
    }
    Ok(report)
}

async fn check_job(client: &Client, span: &LedgerSpan, known: &Known, report: &mut LedgerReport) -> Result<(), Error> {
    let end = span.to.unwrap_or(known.now);
    let begin = span.from.max(known.prune_horizon);
    let mut policies = None;
    for revision in row::revisions(client, &known.job_id).await? {
        let after = begin.map_or(revision.valid_from, |begin| begin.max(revision.valid_from));
        let until = revision.valid_to.map_or(end, |valid_to| end.min(valid_to - SWITCH));
        let job = match LedgerJob::of_revision(&known.job_id, &revision, after, until) {
            Ok(job) => job,
            Err(error) => {
                report.violations.insert(unread(&known.job_id, &revision, &error));
                continue;
            }
        };
        // One revision that let runs lie beside each other is enough for the rows to do so.
        let allows = |job: &LedgerJob| job.settings.overlap == OverlapPolicy::Allow;
        if policies.is_none() || allows(&job) {
            policies = Some(job.settings.clone());
        }
        if after < until {
            check_revision(client, span, known, &job, report).await?;
        }
    }
    match policies {
        Some(settings) => check_sequence(client, span, &known.job_id, &settings, begin, end, report).await,
        None => Ok(()),
    }
}

fn unread(job_id: &JobId, revision: &JobRevision, error: &dyn std::error::Error) -> String {
    format!("unread: job `{job_id}`, revision {}: trigger `{}`: {error}", revision.id.0, revision.trigger)
}

/// Coverage and attempts, chunk by chunk in the order of the occurrences.
async fn check_revision(
    client: &Client,
    span: &LedgerSpan,
    known: &Known,
    job: &LedgerJob,
    report: &mut LedgerReport,
) -> Result<(), Error> {
    let mut after = job.after;
    while after < job.until {
        let until = chunk::end(client, &known.job_id, after, job.until, span.page).await?;
        let rows = row::between(client, &known.job_id, after, until, report).await?;
        report.executions += rows.len();
        let part =
            LedgerJob { after, until: until.min(job.until).min(known.watermark), settings: job.settings.clone() };
        report.add(check_ledger(&[part], &rows));
        after = until;
    }
    Ok(())
}

/// Grants one after another, page by page in the order of their fences; the run that lasted longest goes along.
async fn check_sequence(
    client: &Client,
    span: &LedgerSpan,
    job_id: &JobId,
    settings: &std::sync::Arc<JobSettings>,
    begin: Option<DateTime<Utc>>,
    end: DateTime<Utc>,
    report: &mut LedgerReport,
) -> Result<(), Error> {
    // Nothing is expected of this span: attempts and occurrences were looked at in their own order.
    let nowhere =
        LedgerJob { settings: settings.clone(), after: DateTime::<Utc>::MAX_UTC, until: DateTime::<Utc>::MAX_UTC };
    let mut carried = Vec::new();
    let mut fence = i64::MIN;
    loop {
        let page = row::granted(client, job_id, begin, end, fence, span.page, report).await?;
        let Some(last) = page.last() else { return Ok(()) };
        fence = last.fence.map_or(i64::MAX, |fence| fence.0);
        let mut rows = carried;
        rows.extend(page);
        let found = check_ledger(std::slice::from_ref(&nowhere), &rows);
        report.add(found.into_iter().filter(|violation| chunk::is_of_sequence(violation.invariant)).collect());
        carried = chunk::carried(rows);
    }
}
