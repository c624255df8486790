//! Looks at many jobs, and the watermarks that follow (R12).

use chrono::{DateTime, Utc};
use scheduler_core::{
    identity::JobId,
    store::{Survey, SurveyRequest, Surveyed, WatermarkMove},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    error::PostgresError,
    pool::{Connections, Param},
    row::{self, millis},
    sql::Query,
};

pub(crate) async fn survey(connections: &Connections, request: &SurveyRequest) -> Result<Survey, PostgresError> {
    let ids: Vec<&str> = request.jobs.iter().map(|job| job.job_id.as_str()).collect();
    let with_rows: Vec<&str> = request.jobs.iter().filter(|job| job.with_rows).map(|job| job.job_id.as_str()).collect();
    let lag = millis(request.lag);
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_add(1);
    let params: [Param<'_>; 4] =
        [(&ids, Type::TEXT_ARRAY), (&with_rows, Type::TEXT_ARRAY), (&lag, Type::INT8), (&limit, Type::INT8)];
    let rows = connections.get().await?.query(Query::Survey, &params).await?;
    let now = rows.first().map(|row| row.try_get("now")).transpose()?;
    let jobs = rows.iter().map(|row| surveyed(row, request.limit)).collect::<Result<_, _>>()?;
    Ok(Survey { now: now.unwrap_or(DateTime::<Utc>::MIN_UTC), jobs })
}

fn surveyed(row: &Row, limit: usize) -> Result<Surveyed, PostgresError> {
    let (rows, is_cut) = row::decided_rows(row, ("scheduled_at", "missed_from"), limit)?;
    Ok(Surveyed { state: row::state(row)?, rows, is_cut })
}

pub(crate) async fn advance(connections: &Connections, moves: &[WatermarkMove]) -> Result<Vec<JobId>, PostgresError> {
    let ids: Vec<&str> = moves.iter().map(|one| one.job_id.as_str()).collect();
    let revisions: Vec<i64> = moves.iter().map(|one| one.revision.0).collect();
    let from: Vec<DateTime<Utc>> = moves.iter().map(|one| one.from).collect();
    let to: Vec<DateTime<Utc>> = moves.iter().map(|one| one.to).collect();
    let params: [Param<'_>; 4] = [
        (&ids, Type::TEXT_ARRAY),
        (&revisions, Type::INT8_ARRAY),
        (&from, Type::TIMESTAMPTZ_ARRAY),
        (&to, Type::TIMESTAMPTZ_ARRAY),
    ];
    connections.get().await?.query(Query::Advance, &params).await?.iter().map(row::job_id).collect()
}
