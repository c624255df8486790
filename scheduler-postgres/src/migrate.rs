//! Brings a schema's tables to this code's version, in one transaction, by one instance at a time.

use refinery_core::{
    Migration, Runner,
    traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_postgres::{Client, Transaction};
use tracing::{info, warn};

use crate::error::PostgresError;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The table in which the versions applied are kept; refinery's own default is left to the service's migrations.
const TABLE: &str = "scheduler_migrations";

/// The advisory lock under which instances migrate one after another: `scheduler` as a number.
const LOCK: i64 = 0x7363_6865_6475_6c65;

/// The version that this code brings a schema to.
pub(crate) fn known() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(Migration::version).max().unwrap_or(0)
}

/// The version that the schema has; 0 before the first migration.
pub(crate) async fn found(client: &Client, schema: &str) -> Result<i32, PostgresError> {
    let table = format!("\"{schema}\".{TABLE}");
    let there = client
        .query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, tokio_postgres::types::Type::TEXT)])
        .await?;
    if !there[0].try_get(0)? {
        return Ok(0);
    }
    let newest = client.query_typed(&format!("SELECT coalesce(max(version), 0) FROM {table}"), &[]).await?;
    Ok(newest[0].try_get(0)?)
}

/// Brings the schema to this code's version, making the schema if it is not there.
///
/// One transaction for everything: ten instances that start at once wait for the first, and find its work done.
pub(crate) async fn run(client: &mut Client, schema: &str) -> Result<(), PostgresError> {
    match found(client, schema).await? {
        found if found == known() => raise_fences(client, schema).await,
        found if found > known() => Err(PostgresError::Newer { schema: schema.to_owned(), found, known: known() }),
        _ => {
            let failed = |source| PostgresError::Migration { schema: schema.to_owned(), known: known(), source };
            let transaction = client.transaction().await?;
            let report = apply(&transaction, schema).await.map_err(failed)?;
            transaction.commit().await?;
            for migration in report {
                info!(schema, %migration, "the scheduler's tables were migrated");
            }
            Ok(())
        }
    }
}

/// Sees that the next fence is above every one given (R1): a restore or a hand may have set the sequence back.
async fn raise_fences(client: &Client, schema: &str) -> Result<(), PostgresError> {
    let highest = include_str!("sql/fences_behind.sql").replace("{schema}", &format!("\"{schema}\""));
    let Some(row) = client.query_typed(&highest, &[]).await?.into_iter().next() else { return Ok(()) };
    let highest: i64 = row.try_get("highest")?;
    let raise = format!("SELECT setval('\"{schema}\".execution_fences', $1)");
    client.query_typed(&raise, &[(&highest, tokio_postgres::types::Type::INT8)]).await?;
    warn!(schema, highest, "the sequence of fences was behind those given: it goes on above them");
    Ok(())
}

async fn apply(
    transaction: &Transaction<'_>,
    schema: &str,
) -> Result<Vec<Migration>, Box<dyn std::error::Error + Send + Sync>> {
    transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await.map_err(PostgresError::from)?;
    let there = transaction
        .query_typed("SELECT FROM pg_namespace WHERE nspname = $1", &[(&schema, tokio_postgres::types::Type::NAME)])
        .await
        .map_err(PostgresError::from)?;
    if there.is_empty() {
        // Asked for only where it is needed: making a schema takes a right that the user may lack.
        transaction.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await.map_err(PostgresError::from)?;
    }
    transaction
        .batch_execute(&format!("SET LOCAL search_path TO \"{schema}\", pg_temp"))
        .await
        .map_err(PostgresError::from)?;
    let mut runner: Runner = embedded::migrations::runner();
    runner.set_migration_table_name(TABLE);
    let report = runner.run_async(&mut InTransaction(transaction)).await?;
    Ok(report.applied_migrations().clone())
}

/// Refinery's view of a transaction that is open already: its own driver opens one a step.
struct InTransaction<'a>(&'a Transaction<'a>);

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
