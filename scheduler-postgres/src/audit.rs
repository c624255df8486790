//! Who did what.

use scheduler_core::{
    identity::{ExecutionId, JobId},
    store::{Actor, AuditEntry, AuditId, AuditQuery, AuditRecord},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    error::PostgresError,
    history::words,
    pool::{Connection, Connections, Param},
    row::{self, storable},
    sql::Query,
};

/// Adds an entry in the connection's transaction, if one is open.
pub(crate) async fn append(connection: &Connection, record: &AuditRecord) -> Result<AuditId, PostgresError> {
    let actor = &record.actor;
    let (who, reason) = (storable(&actor.who), actor.reason.as_deref().map(storable));
    let (address, refused) = (actor.address.as_deref().map(storable), record.refused.as_deref().map(storable));
    let params: [Param<'_>; 9] = [
        (&who, Type::TEXT),
        (&record.action.as_str(), Type::TEXT),
        (&record.job_id.as_ref().map(JobId::as_str), Type::TEXT),
        (&record.execution_id.map(|id| id.0), Type::INT8),
        (&reason, Type::TEXT),
        (&address, Type::TEXT),
        (&refused, Type::TEXT),
        (&record.before, Type::JSONB),
        (&record.after, Type::JSONB),
    ];
    let rows = connection.query(Query::AuditAppend, &params).await?;
    Ok(AuditId(rows[0].try_get("id")?))
}

pub(crate) async fn record(connections: &Connections, record: &AuditRecord) -> Result<AuditId, PostgresError> {
    append(&connections.get().await?, record).await
}

pub(crate) async fn read(connections: &Connections, query: &AuditQuery) -> Result<Vec<AuditEntry>, PostgresError> {
    let job_id = query.job_id.as_ref().map(JobId::as_str);
    let among: Option<Vec<&str>> = query.among.as_ref().map(|jobs| jobs.iter().map(JobId::as_str).collect());
    let actions = words(query.actions.iter().map(|action| action.as_str()));
    let who = query.who.as_deref().map(storable);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let params: [Param<'_>; 9] = [
        (&job_id, Type::TEXT),
        (&among, Type::TEXT_ARRAY),
        (&query.execution_id.map(|id| id.0), Type::INT8),
        (&who, Type::TEXT),
        (&actions, Type::TEXT_ARRAY),
        (&query.since, Type::TIMESTAMPTZ),
        (&query.until, Type::TIMESTAMPTZ),
        (&query.before.map(|id| id.0), Type::INT8),
        (&limit, Type::INT8),
    ];
    let rows = connections.get().await?.query(Query::Audit, &params).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<AuditEntry, PostgresError> {
    let actor =
        Actor { who: row.try_get("principal")?, reason: row.try_get("reason")?, address: row.try_get("address")? };
    let record = AuditRecord {
        actor,
        action: row::word(row, "action", "action")?,
        job_id: row.try_get::<_, Option<&str>>("job_id")?.map(JobId::from_stored),
        execution_id: row.try_get::<_, Option<i64>>("execution_id")?.map(ExecutionId),
        refused: row.try_get("refused")?,
        before: row.try_get("before")?,
        after: row.try_get("after")?,
    };
    Ok(AuditEntry::new(AuditId(row.try_get("id")?), row.try_get("at")?, record))
}
