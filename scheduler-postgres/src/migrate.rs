//! Brings a schema's tables to this code's version, in one transaction, by one instance at a time.

mod adopt;

use std::time::Duration;

use refinery_core::{
    Migration, Runner,
    traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_postgres::{Client, GenericClient, Transaction, error::SqlState, types::Type};
use tracing::{info, warn};

use crate::error::PostgresError;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The table in which the versions applied are kept; refinery's own default is left to the service's migrations.
const TABLE: &str = "scheduler_migrations";

/// The advisory lock under which instances migrate one after another: `scheduler` as a number.
const LOCK: i64 = 0x7363_6865_6475_6c65;

/// How long a migration waits for a lock before it lets go and tries again: whoever asks for the tables meanwhile waits behind
/// it.
const LOCK_LIMIT: Duration = Duration::from_millis(500);

/// How long the server has to answer what is asked before a migration.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long it rests before it tries again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The version that this code brings a schema to.
pub(crate) fn known() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(Migration::version).max().unwrap_or(0)
}

/// The version that the schema has; 0 before the first migration.
pub(crate) async fn found(client: &impl GenericClient, schema: &str) -> Result<i32, PostgresError> {
    let table = format!("\"{schema}\".{TABLE}");
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
    if !there[0].try_get(0)? {
        return Ok(0);
    }
    let newest = client.query_typed(&format!("SELECT coalesce(max(version), 0) FROM {table}"), &[]).await?;
    Ok(newest[0].try_get(0)?)
}

/// From which version of the code on the schema's tables can be worked with, where the version found says so.
async fn compatible_from(client: &Client, schema: &str, found: i32) -> Result<Option<i32>, PostgresError> {
    let table = format!("\"{schema}\".scheduler_versions");
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
    if !there[0].try_get(0)? {
        return Ok(None);
    }
    let from = format!("SELECT CASE WHEN max(version) = $1 THEN max(compatible_from) END FROM {table}");
    let from = client.query_typed(&from, &[(&found, Type::INT4)]).await?;
    Ok(from[0].try_get(0)?)
}

/// Whether this code can work with the schema's tables as they are; `Ok(false)` when they are to be migrated first.
pub(crate) async fn fits(client: &Client, schema: &str) -> Result<bool, PostgresError> {
    let (found, known) = (found(client, schema).await?, known());
    if found <= known {
        return Ok(found == known);
    }
    match compatible_from(client, schema, found).await? {
        Some(from) if from <= known => {
            warn!(
                schema,
                found, known, "the scheduler's tables are of a newer version, which this one can work with: deploy it"
            );
            Ok(true)
        }
        _ => Err(PostgresError::Newer { schema: schema.to_owned(), found, known }),
    }
}

/// Brings the schema to this code's version, making the schema if it is not there, however long that takes.
///
/// One transaction for everything: ten instances that start at once wait for the first, and find its work done. Where
/// somebody else has the tables locked it lets go and tries again, so that nobody queues behind it for longer than
/// [`LOCK_LIMIT`].
pub(crate) async fn run(client: &mut Client, schema: &str) -> Result<(), PostgresError> {
    let failed = |source| PostgresError::Migration { schema: schema.to_owned(), known: known(), source };
    let mut wait = FIRST_WAIT;
    let mut told = None;
    let mut adopted = None;
    loop {
        if within(fits(client, schema)).await? {
            return within(raise_fences(client, schema)).await;
        }
        let transaction = client.transaction().await?;
        match apply(&transaction, schema, &mut adopted).await {
            Ok(Some(report)) => {
                let took = "SELECT round(extract(epoch FROM clock_timestamp() - now()) * 1000)::bigint";
                let took: i64 = transaction.query_typed(took, &[]).await?[0].try_get(0)?;
                transaction.commit().await?;
                for migration in report {
                    info!(schema, %migration, "the scheduler's tables were migrated");
                }
                info!(schema, version = known(), took_ms = took, "the migration is done");
                return Ok(());
            }
            Ok(None) => tell(&mut told, schema, "another instance migrates the scheduler's tables: waiting for it"),
            Err(error) if is_locked_out(&*error) => {
                tell(
                    &mut told,
                    schema,
                    "the scheduler's tables are locked by another session: trying again to migrate them",
                );
            }
            Err(error) => {
                return Err(match error.downcast() {
                    Ok(error) if matches!(*error, PostgresError::Taken { .. } | PostgresError::Column { .. }) => *error,
                    Ok(error) => failed(error),
                    Err(error) => failed(error),
                });
            }
        }
        transaction.rollback().await?;
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// What the server has to answer before it is known whether there is anything to migrate: a migration has no limit, this has.
pub(crate) async fn within<T>(answer: impl Future<Output = Result<T, PostgresError>>) -> Result<T, PostgresError> {
    match tokio::time::timeout(ANSWER_LIMIT, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(PostgresError::Silent { limit: ANSWER_LIMIT }),
    }
}

/// Tells of what is waited for, once, and each time that it is something else.
fn tell(told: &mut Option<&'static str>, schema: &str, what: &'static str) {
    if told.replace(what) != Some(what) {
        warn!(schema, "{what}");
    }
}

/// Whether a lock was not granted in time.
fn is_locked_out(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            return error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        }
        if let Some(PostgresError::Driver(error)) = error.downcast_ref::<PostgresError>() {
            return error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        }
        cause = error.source();
    }
    false
}

/// Sees that the next fence is above every one given (R1): a restore or a hand may have set the sequence back.
async fn raise_fences(client: &Client, schema: &str) -> Result<(), PostgresError> {
    let highest = include_str!("sql/fences_behind.sql").replace("{schema}", &format!("\"{schema}\""));
    let Some(row) = client.query_typed(&highest, &[]).await?.into_iter().next() else { return Ok(()) };
    let highest: i64 = row.try_get("highest")?;
    let raise = format!("SELECT setval('\"{schema}\".execution_fences', $1)");
    client.query_typed(&raise, &[(&highest, Type::INT8)]).await?;
    warn!(schema, highest, "the sequence of fences was behind those given: it goes on above them");
    Ok(())
}

/// Applies what is missing; `None` when another instance is at it.
async fn apply(
    transaction: &Transaction<'_>,
    schema: &str,
    adopted: &mut Option<i64>,
) -> Result<Option<Vec<Migration>>, Box<dyn std::error::Error + Send + Sync>> {
    let limits = format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
         SET LOCAL lock_timeout = {}",
        LOCK_LIMIT.as_millis()
    );
    transaction.batch_execute(&limits).await.map_err(PostgresError::from)?;
    notice_disconnects(transaction).await?;
    let locked = transaction
        .query_typed("SELECT pg_try_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)])
        .await
        .map_err(PostgresError::from)?;
    if !locked[0].try_get::<_, bool>(0).map_err(PostgresError::from)? {
        return Ok(None);
    }
    let there = transaction
        .query_typed("SELECT FROM pg_namespace WHERE nspname = $1", &[(&schema, Type::NAME)])
        .await
        .map_err(PostgresError::from)?;
    if there.is_empty() {
        // Asked for only where it is needed: making a schema takes a right that the user may lack.
        transaction.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await.map_err(PostgresError::from)?;
    } else if found(transaction, schema).await? == 0 {
        let there = adopt::look(transaction, schema).await?;
        if let Some(rows) = there.filter(|_| adopted.is_none()) {
            warn!(
                schema,
                rows, "the predecessor's table is adopted: each row is rewritten, and it is locked until that is done"
            );
        }
        *adopted = there;
    }
    transaction
        .batch_execute(&format!("SET LOCAL search_path TO \"{schema}\", pg_temp"))
        .await
        .map_err(PostgresError::from)?;
    let mut runner: Runner = embedded::migrations::runner();
    runner.set_migration_table_name(TABLE);
    let report = runner.run_async(&mut InTransaction(transaction)).await?;
    Ok(Some(report.applied_migrations().clone()))
}

/// Sees that the server ends a statement whose client has gone: a long one would hold its locks to its end.
async fn notice_disconnects(transaction: &Transaction<'_>) -> Result<(), PostgresError> {
    let sql = "SELECT set_config('client_connection_check_interval', '1s', true)
               FROM pg_settings WHERE name = 'client_connection_check_interval'";
    // A server that can't watch its clients refuses to be asked to.
    transaction.batch_execute("SAVEPOINT watched").await?;
    match transaction.batch_execute(sql).await {
        Ok(()) => transaction.batch_execute("RELEASE watched").await?,
        Err(_) => transaction.batch_execute("ROLLBACK TO watched").await?,
    }
    Ok(())
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
