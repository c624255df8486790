//! Renewals of leases, and the cancel requests that they carry.

use scheduler_core::{
    identity::{ExecutionId, FencingToken},
    store::{HeldLease, RenewedLease},
};
use tokio_postgres::types::Type;

use crate::{error::PostgresError, pool::Connections, row::millis, sql::Query};

pub(crate) async fn renew(connections: &Connections, held: &[HeldLease]) -> Result<Vec<RenewedLease>, PostgresError> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = held.iter().map(|held| held.execution_id.0).collect();
    let fences: Vec<i64> = held.iter().map(|held| held.fence.0).collect();
    let leases: Vec<i64> = held.iter().map(|held| millis(held.lease)).collect();
    let params: [crate::pool::Param<'_>; 3] =
        [(&ids, Type::INT8_ARRAY), (&fences, Type::INT8_ARRAY), (&leases, Type::INT8_ARRAY)];
    let rows = connections.get().await?.query(Query::Renew, &params).await?;
    let renewed = |row: &tokio_postgres::Row| {
        Ok(RenewedLease {
            execution_id: ExecutionId(row.try_get("execution_id")?),
            fence: FencingToken(row.try_get("fence")?),
            cancel_requested: row.try_get("cancel_requested")?,
        })
    };
    rows.iter().map(renewed).collect()
}
