//! Reading the history.

use scheduler_core::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    occurrence::OccurrenceKey,
    store::{ExecutionPage, ExecutionQuery, PageStart, Summary, SummaryQuery},
};
use tokio_postgres::types::Type;

use crate::{
    error::PostgresError,
    pool::{Connections, Param},
    row::{self, storable},
    sql::Query,
};

pub(crate) async fn execution(connections: &Connections, id: ExecutionId) -> Result<Option<Execution>, PostgresError> {
    let rows = connections.get().await?.query(Query::Execution, &[(&id.0, Type::INT8)]).await?;
    Ok(rows.first().and_then(|row| row::listed(row, row::read)))
}

pub(crate) async fn newest_attempt(
    connections: &Connections,
    job_id: &JobId,
    occurrence: &OccurrenceKey,
) -> Result<Option<Execution>, PostgresError> {
    let params: [Param<'_>; 2] = [(&job_id.as_str(), Type::TEXT), (&occurrence.as_str(), Type::TEXT)];
    let rows = connections.get().await?.query(Query::NewestAttempt, &params).await?;
    Ok(rows.first().and_then(|row| row::listed(row, row::read)))
}

pub(crate) async fn executions(
    connections: &Connections,
    query: &ExecutionQuery,
) -> Result<ExecutionPage, PostgresError> {
    let filter = &query.filter;
    let job_id = filter.job_id.as_ref().map(JobId::as_str);
    let among: Option<Vec<&str>> = filter.among.as_ref().map(|jobs| jobs.iter().map(JobId::as_str).collect());
    let statuses = words(filter.statuses.iter().map(|status| status.as_str()));
    let origins = words(filter.origins.iter().map(|origin| origin.as_str()));
    let instance = filter.instance.map(|instance| instance.0);
    let triggered_by = filter.triggered_by.as_deref().map(storable);
    let (before, offset) = match query.start {
        PageStart::Before(id) => (Some(id.0), 0),
        PageStart::Offset(offset) => (None, i64::try_from(offset).unwrap_or(i64::MAX)),
        _ => (None, 0),
    };
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let filters: [Param<'_>; 9] = [
        (&job_id, Type::TEXT),
        (&among, Type::TEXT_ARRAY),
        (&statuses, Type::TEXT_ARRAY),
        (&origins, Type::TEXT_ARRAY),
        (&instance, Type::UUID),
        (&triggered_by, Type::TEXT),
        (&filter.created_since, Type::TIMESTAMPTZ),
        (&filter.created_before, Type::TIMESTAMPTZ),
        (&filter.changed_since, Type::TIMESTAMPTZ),
    ];
    let bounds: [Param<'_>; 3] = [(&before, Type::INT8), (&offset, Type::INT8), (&limit, Type::INT8)];
    let page: Vec<Param<'_>> = filters.iter().chain(&bounds).cloned().collect();
    let connection = connections.get().await?;
    let (rows, total) = tokio::join!(connection.query(Query::Page, &page), async {
        if !query.count {
            return Ok(None);
        }
        let rows = connection.query(Query::PageCount, &filters).await?;
        Ok::<_, PostgresError>(Some(u64::try_from(rows[0].try_get::<_, i64>("total")?).unwrap_or(0)))
    });
    Ok(ExecutionPage::new(rows?.iter().filter_map(|row| row::listed(row, row::read)).collect(), total?))
}

pub(crate) async fn latest(connections: &Connections, jobs: &[JobId]) -> Result<Vec<Execution>, PostgresError> {
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let rows = connections.get().await?.query(Query::Latest, &[(&ids, Type::TEXT_ARRAY)]).await?;
    Ok(rows.iter().filter_map(|row| row::listed(row, row::read)).collect())
}

pub(crate) async fn recent(
    connections: &Connections,
    jobs: &[JobId],
    each: usize,
) -> Result<Vec<Execution>, PostgresError> {
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let each = i64::try_from(each).unwrap_or(i64::MAX);
    let params: [Param<'_>; 2] = [(&ids, Type::TEXT_ARRAY), (&each, Type::INT8)];
    let rows = connections.get().await?.query(Query::Recent, &params).await?;
    Ok(rows.iter().filter_map(|row| row::listed(row, row::execution)).collect())
}

pub(crate) async fn attempts(
    connections: &Connections,
    job_id: &JobId,
    occurrence: &OccurrenceKey,
    most: usize,
) -> Result<Vec<Execution>, PostgresError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let params: [Param<'_>; 3] =
        [(&job_id.as_str(), Type::TEXT), (&occurrence.as_str(), Type::TEXT), (&most, Type::INT8)];
    let rows = connections.get().await?.query(Query::Attempts, &params).await?;
    Ok(rows.iter().filter_map(|row| row::listed(row, row::execution)).collect())
}

pub(crate) async fn summary(connections: &Connections, query: &SummaryQuery) -> Result<Summary, PostgresError> {
    let among: Option<Vec<&str>> = query.among.as_ref().map(|jobs| jobs.iter().map(JobId::as_str).collect());
    let most = i64::try_from(query.most).unwrap_or(i64::MAX);
    let params: [Param<'_>; 3] = [(&among, Type::TEXT_ARRAY), (&query.since, Type::TIMESTAMPTZ), (&most, Type::INT8)];
    let rows = connections.get().await?.query(Query::Summary, &params).await?;
    let count = |name| Ok::<_, PostgresError>(rows[0].try_get::<_, i64>(name)?.unsigned_abs());
    let looked_at = count("looked_at")?;
    let lag = rows[0].try_get("start_lag_p95")?;
    Ok(Summary::new(looked_at, looked_at < query.most as u64, count("ended")?, count("succeeded")?, lag))
}

/// What a column must be one of; none for all.
pub(crate) fn words<'a>(words: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    Some(words.collect::<Vec<_>>()).filter(|words| !words.is_empty())
}
