//! The tables of version 8, by refinery: what every later version builds on, in one transaction.
//!
//! Code of version 8 starts where refinery's table says 8, and refuses what is above. So a later version that it can live with is
//! a step, which it does not see, and one that would break it is a migration here.

use refinery_core::{
    Migration, Runner,
    traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_postgres::Transaction;

use crate::error::PostgresError;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The table in which the versions applied are kept; refinery's own default is left to the service's migrations.
pub(super) const TABLE: &str = "scheduler_migrations";

/// The version that the migrations here bring a schema to.
pub(super) fn known() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(Migration::version).max().unwrap_or(0)
}

/// The migrations here, in their order.
pub(super) fn versions() -> Vec<Migration> {
    let mut migrations = embedded::migrations::runner().get_migrations().clone();
    migrations.sort();
    migrations
}

/// Applies what is missing, with the search path set to the schema.
pub(super) async fn apply(
    transaction: &Transaction<'_>,
) -> Result<Vec<Migration>, Box<dyn std::error::Error + Send + Sync>> {
    let mut runner: Runner = embedded::migrations::runner();
    runner.set_migration_table_name(TABLE);
    let report = runner.run_async(&mut InTransaction(transaction)).await?;
    Ok(report.applied_migrations().clone())
}

/// Refinery's view of a transaction that is open already: its own driver opens one a step.
pub(super) struct InTransaction<'a>(&'a Transaction<'a>);

impl AsyncTransaction for InTransaction<'_> {
    type Error = PostgresError;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, PostgresError> {
        let mut count = 0;
        for query in queries {
            self.0.batch_execute(query).await?;
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for InTransaction<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, PostgresError> {
        let rows = self.0.query_typed(query, &[]).await?;
        rows.iter().map(applied).collect()
    }
}

impl AsyncMigrate for InTransaction<'_> {}

/// A row of refinery's table.
fn applied(row: &tokio_postgres::Row) -> Result<Migration, PostgresError> {
    let (applied_on, checksum): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let applied_on = OffsetDateTime::parse(&applied_on, &Rfc3339)
        .map_err(|_| PostgresError::Row { what: "instant", value: applied_on })?;
    let checksum = checksum.parse().map_err(|_| PostgresError::Row { what: "checksum", value: checksum })?;
    let version: i32 = row.try_get(0)?;
    Ok(Migration::applied(version, row.try_get(1)?, applied_on, checksum))
}
