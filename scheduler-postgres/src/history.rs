//! Reading the history.

use scheduler_core::{
    execution::Execution,
    identity::{ExecutionId, JobId},
    occurrence::OccurrenceKey,
    store::{ExecutionPage, ExecutionQuery, PageStart},
};
use tokio_postgres::types::Type;

use crate::{error::PostgresError, pool::Connections, row, sql::Query};

pub(crate) async fn execution(connections: &Connections, id: ExecutionId) -> Result<Option<Execution>, PostgresError> {
    let rows = connections.get().await?.query(Query::Execution, &[(&id.0, Type::INT8)]).await?;
    rows.first().map(row::execution).transpose()
}

pub(crate) async fn newest_attempt(
    connections: &Connections,
    job_id: &JobId,
    occurrence: &OccurrenceKey,
) -> Result<Option<Execution>, PostgresError> {
    let params: [crate::pool::Param<'_>; 2] = [(&job_id.as_str(), Type::TEXT), (&occurrence.as_str(), Type::TEXT)];
    let rows = connections.get().await?.query(Query::NewestAttempt, &params).await?;
    rows.first().map(row::execution).transpose()
}

pub(crate) async fn executions(
    connections: &Connections,
    query: &ExecutionQuery,
) -> Result<ExecutionPage, PostgresError> {
    let filter = &query.filter;
    let job_id = filter.job_id.as_ref().map(JobId::as_str);
    let statuses: Option<Vec<&str>> =
        (!filter.statuses.is_empty()).then(|| filter.statuses.iter().map(|status| status.as_str()).collect());
    let (before, offset) = match query.start {
        PageStart::Before(id) => (Some(id.0), 0),
        PageStart::Offset(offset) => (None, i64::try_from(offset).unwrap_or(i64::MAX)),
        _ => (None, 0),
    };
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let filters: [crate::pool::Param<'_>; 3] =
        [(&job_id, Type::TEXT), (&statuses, Type::TEXT_ARRAY), (&filter.created_since, Type::TIMESTAMPTZ)];
    let [job, status, since] = filters.clone();
    let page: [crate::pool::Param<'_>; 6] =
        [job, status, since, (&before, Type::INT8), (&offset, Type::INT8), (&limit, Type::INT8)];
    let connection = connections.get().await?;
    let (rows, total) = tokio::join!(connection.query(Query::Page, &page), async {
        if !query.count {
            return Ok(None);
        }
        let rows = connection.query(Query::PageCount, &filters).await?;
        Ok::<_, PostgresError>(Some(u64::try_from(rows[0].try_get::<_, i64>("total")?).unwrap_or(0)))
    });
    Ok(ExecutionPage::new(rows?.iter().map(row::execution).collect::<Result<_, _>>()?, total?))
}

pub(crate) async fn latest(connections: &Connections, jobs: &[JobId]) -> Result<Vec<Execution>, PostgresError> {
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let rows = connections.get().await?.query(Query::Latest, &[(&ids, Type::TEXT_ARRAY)]).await?;
    rows.iter().map(row::execution).collect()
}
