//! Where the rows of a job may be cut.

use chrono::{DateTime, Utc};
use scheduler::{execution::Execution, identity::JobId, testing::Invariant};
use tokio_postgres::{Client, Error};

/// The end of the chunk after this instant: about a page of rows, no instant and no range cut in two. A chunk that reaches
/// the end of the span may go beyond it with a range.
pub(super) async fn end(
    client: &Client,
    job_id: &JobId,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
    page: i64,
) -> Result<DateTime<Utc>, Error> {
    let nth = "SELECT scheduled_at FROM job_executions WHERE job_id = $1 AND scheduled_at > $2 AND scheduled_at <= $3
               ORDER BY scheduled_at OFFSET $4 LIMIT 1";
    let job_id = job_id.as_str();
    let found = client.query_opt(nth, &[&job_id, &after, &until, &page]).await?;
    let mut end = found.map_or(Ok(until), |row| row.try_get(0))?;
    loop {
        let crossing = "SELECT max(scheduled_at) FROM job_executions
                        WHERE job_id = $1 AND missed_from <= $2 AND scheduled_at > $2";
        match client.query_one(crossing, &[&job_id, &end]).await?.try_get::<_, Option<DateTime<Utc>>>(0)? {
            Some(range) => end = range,
            None => return Ok(end),
        }
    }
}

/// What grants are held against each other for.
pub(super) fn is_of_sequence(invariant: Invariant) -> bool {
    matches!(invariant, Invariant::Fences | Invariant::OneAtATime)
}

/// Of the rows so far, those that the next ones may collide with: the last, and the one that lasted longest.
pub(super) fn carried(rows: Vec<Execution>) -> Vec<Execution> {
    let end = |row: &Execution| row.finished_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let longest = rows.iter().filter(|row| !row.late).max_by_key(|row| end(row)).map(|row| row.id);
    let last = rows.last().map(|row| row.id);
    rows.into_iter().filter(|row| Some(row.id) == longest || Some(row.id) == last).collect()
}
