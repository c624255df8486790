//! From the tables' rows to the checker's.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler::{
    execution::Execution,
    identity::{ClaimId, ExecutionId, FencingToken, InstanceId, JobId, RevisionId},
    occurrence::{OccurrenceKey, Origin},
    status::{Reason, Status},
    store::JobRevision,
};
use tokio_postgres::{Client, Error, Row};

use super::LedgerReport;

/// What the checker looks at. A predecessor's rows, of before the job was announced, are read by nobody here.
const COLUMNS: &str = "id, occurrence, attempt, max_attempts, origin, status, reason, scheduled_at, not_before,
    started_at, finished_at, holds_key, queued, claim_id, fence, instance_id, late, missed_from, missed_count, created_at";

/// A job's revisions, oldest first.
pub(super) async fn revisions(client: &Client, job_id: &JobId) -> Result<Vec<JobRevision>, Error> {
    let query = "SELECT id, fingerprint, trigger, zone, zone_data, policies, enabled, valid_from, valid_to
                 FROM job_revisions WHERE job_id = $1 ORDER BY id";
    let text = |row: &Row, column| Ok::<_, Error>(row.try_get::<_, Option<&str>>(column)?.map(Arc::from));
    let rows = client.query(query, &[&job_id.as_str()]).await?;
    let revision = |row: &Row| {
        Ok(JobRevision {
            id: RevisionId(row.try_get("id")?),
            fingerprint: row.try_get::<_, &str>("fingerprint")?.into(),
            trigger: row.try_get::<_, &str>("trigger")?.into(),
            zone: text(row, "zone")?,
            zone_data: text(row, "zone_data")?,
            policies: Arc::new(row.try_get("policies")?),
            enabled: row.try_get("enabled")?,
            valid_from: row.try_get("valid_from")?,
            valid_to: row.try_get("valid_to")?,
        })
    };
    rows.iter().map(revision).collect()
}

/// A job's rows of the instants above one, up to another.
pub(super) async fn between(
    client: &Client,
    job_id: &JobId,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
    report: &mut LedgerReport,
) -> Result<Vec<Execution>, Error> {
    let query =
        format!("SELECT {COLUMNS} FROM job_executions WHERE job_id = $1 AND scheduled_at > $2 AND scheduled_at <= $3");
    let rows = client.query(&query, &[&job_id.as_str(), &after, &until]).await?;
    read(&rows, job_id, report)
}

/// A page of a job's rows that were granted above a fence, by their fences.
pub(super) async fn granted(
    client: &Client,
    job_id: &JobId,
    begin: Option<DateTime<Utc>>,
    end: DateTime<Utc>,
    fence: i64,
    page: i64,
    report: &mut LedgerReport,
) -> Result<Vec<Execution>, Error> {
    let query = format!(
        "SELECT {COLUMNS} FROM job_executions
         WHERE job_id = $1 AND fence > $2 AND ($3::timestamptz IS NULL OR scheduled_at > $3) AND scheduled_at <= $4
         ORDER BY fence LIMIT $5"
    );
    read(&client.query(&query, &[&job_id.as_str(), &fence, &begin, &end, &page]).await?, job_id, report)
}

fn read(rows: &[Row], job_id: &JobId, report: &mut LedgerReport) -> Result<Vec<Execution>, Error> {
    let mut executions = Vec::new();
    for row in rows {
        match execution(row, job_id)? {
            Ok(execution) => executions.push(execution),
            Err(what) => {
                let id: i64 = row.try_get("id")?;
                report.violations.insert(format!("unread: job `{job_id}`, execution {id}: {what}"));
            }
        }
    }
    Ok(executions)
}

/// A row, or what can't be read of it.
fn execution(row: &Row, job_id: &JobId) -> Result<Result<Execution, String>, Error> {
    let (origin, status): (&str, &str) = (row.try_get("origin")?, row.try_get("status")?);
    let reason: Option<&str> = row.try_get("reason")?;
    let words = (origin.parse::<Origin>(), status.parse::<Status>(), reason.map(str::parse::<Reason>).transpose());
    let (origin, status, reason) = match words {
        (Ok(origin), Ok(status), Ok(reason)) => (origin, status, reason),
        (Err(unknown), ..) | (_, Err(unknown), _) | (.., Err(unknown)) => return Ok(Err(unknown.to_string())),
    };
    let count = |column| Ok::<_, Error>(u32::try_from(row.try_get::<_, i32>(column)?).unwrap_or(0));
    let mut execution = Execution::new(
        ExecutionId(row.try_get("id")?),
        job_id.clone(),
        OccurrenceKey::from_stored(row.try_get("occurrence")?),
        origin,
        status,
        row.try_get("scheduled_at")?,
        row.try_get("created_at")?,
    );
    execution.attempt = count("attempt")?;
    execution.max_attempts = count("max_attempts")?;
    execution.reason = reason;
    execution.not_before = row.try_get("not_before")?;
    execution.started_at = row.try_get("started_at")?;
    execution.finished_at = row.try_get("finished_at")?;
    execution.holds_key = row.try_get("holds_key")?;
    execution.queued = row.try_get("queued")?;
    execution.claim_id = row.try_get::<_, Option<_>>("claim_id")?.map(ClaimId);
    execution.fence = row.try_get::<_, Option<_>>("fence")?.map(FencingToken);
    execution.instance = row.try_get::<_, Option<_>>("instance_id")?.map(InstanceId);
    execution.late = row.try_get("late")?;
    execution.missed_from = row.try_get("missed_from")?;
    execution.missed_count = row.try_get::<_, Option<i64>>("missed_count")?.and_then(|count| count.try_into().ok());
    Ok(Ok(execution))
}
