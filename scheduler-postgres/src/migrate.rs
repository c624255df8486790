//! Brings a schema's tables to this code's version, by one instance at a time: the tables of version 8, and a step for each version
//! since.

mod adopt;
mod base;
mod check;
mod copy;
mod script;
mod steps;

use std::time::Duration;

use tokio_postgres::{Client, GenericClient, Transaction, error::SqlState, types::Type};
use tracing::{info, warn};

pub(crate) use check::check;
pub use check::{MigrationCheck, TableVersion, VersionState};
pub(crate) use script::script;

use crate::{apart::Apart, config::PostgresConfig, error::PostgresError, rights};

/// The advisory lock under which the tables of version 8 are made, also by code of that version: `scheduler` as a number.
const LOCK: i64 = 0x7363_6865_6475_6c65;

/// The first half of the advisory lock under which instances migrate a schema one after another: `sche` as a number. The other is
/// the schema's name.
const TURN: i32 = 0x7363_6865;

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
    steps::known().max(base::known())
}

/// What a schema has.
#[derive(Debug)]
struct Found {
    /// The version of refinery's table; 0 before the first migration.
    base: i32,
    /// The steps that were applied, and from which version on older code works with each.
    steps: Vec<(i32, i32)>,
}

impl Found {
    async fn read(client: &impl GenericClient, schema: &str) -> Result<Self, PostgresError> {
        let table = format!("\"{schema}\".{}", base::TABLE);
        let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
        if !there[0].try_get(0)? {
            return Ok(Self { base: 0, steps: Vec::new() });
        }
        let newest = client.query_typed(&format!("SELECT coalesce(max(version), 0) FROM {table}"), &[]).await?;
        Ok(Self { base: newest[0].try_get(0)?, steps: steps::applied(client, schema).await? })
    }

    fn version(&self) -> i32 {
        self.steps.iter().map(|(version, _)| *version).max().unwrap_or(0).max(self.base)
    }

    fn applied(&self) -> Vec<i32> {
        self.steps.iter().map(|(version, _)| *version).collect()
    }

    /// Whether a later version of the code was here, which this one can work with.
    fn is_later(&self, schema: &str) -> Result<bool, PostgresError> {
        let (found, known) = (self.version(), known());
        if found <= known {
            return Ok(false);
        }
        let from = self.steps.iter().find_map(|(version, from)| (*version == found).then_some(*from));
        if from.is_some_and(|from| from <= known) {
            return Ok(true);
        }
        Err(PostgresError::Newer { schema: schema.to_owned(), found, known })
    }

    /// Whether nothing is missing that this code can't do without.
    fn is_complete(&self) -> bool {
        self.base >= base::known() && steps::needed(&self.applied()).next().is_none()
    }
}

/// Whether this code can work with the schema's tables as they are; `Ok(false)` when they are to be migrated first.
pub(crate) async fn fits(client: &Client, schema: &str) -> Result<bool, PostgresError> {
    let found = look(client, schema).await?;
    if found.is_later(schema)? {
        warn!(
            schema,
            found = found.version(),
            known = known(),
            "the scheduler's tables are of a newer version, which this one can work with: deploy it"
        );
    }
    Ok(found.is_complete())
}

/// Brings the schema to this code's version, making the schema if it is not there, however long that takes.
///
/// Ten instances that start at once wait for the first, and find its work done. Where somebody else has the tables locked it lets
/// go and tries again, so that nobody queues behind it for longer than [`LOCK_LIMIT`]. What was done before it is given up stays
/// done, and it goes on from there.
pub(crate) async fn run(config: &PostgresConfig, client: &mut Client, schema: &str) -> Result<(), PostgresError> {
    let failed = |source| PostgresError::Migration { schema: schema.to_owned(), known: known(), source };
    let mut wait = FIRST_WAIT;
    let mut told = None;
    let mut is_told = false;
    loop {
        let found = within(look(client, schema)).await?;
        let is_complete = found.is_later(schema)? || found.is_complete();
        if is_complete && steps::belated(&found.applied()).next().is_none() {
            return within(settle(client, schema)).await;
        }
        let turn = within(Turn::take(config, schema)).await?;
        match turn {
            // What is left can wait for the next start.
            None if is_complete => return within(settle(client, schema)).await,
            None => tell(&mut told, schema, "another instance migrates the scheduler's tables: waiting for it"),
            Some(turn) => {
                let migrated = bring(client, schema, &mut is_told).await;
                turn.end().await;
                match migrated {
                    Ok(()) => return within(settle(client, schema)).await,
                    Err(error) if error.is::<MadeElsewhere>() => {
                        tell(&mut told, schema, "another instance makes the scheduler's tables: waiting for it");
                    }
                    Err(error) if is_locked_out(&*error) => {
                        tell(
                            &mut told,
                            schema,
                            "the scheduler's tables are locked by another session: trying again to migrate them",
                        );
                    }
                    Err(error) if is_complete && lacks_a_right(&*error) => {
                        warn!(
                            schema,
                            "a step of the migration that nothing needs is left to a role that may change tables"
                        );
                        return within(settle(client, schema)).await;
                    }
                    Err(error) if lacks_a_right(&*error) => {
                        let role = client.query_typed("SELECT current_user::text", &[]).await?[0].try_get(0)?;
                        return Err(PostgresError::MayNotMigrate {
                            schema: schema.to_owned(),
                            known: known(),
                            role,
                            source: error,
                        });
                    }
                    Err(error) => {
                        return Err(match error.downcast() {
                            Ok(error)
                                if matches!(*error, PostgresError::Taken { .. } | PostgresError::Column { .. }) =>
                            {
                                *error
                            }
                            Ok(error) => failed(error),
                            Err(error) => failed(error),
                        });
                    }
                }
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// The turn of the one who migrates: a transaction of a connection of its own, which holds the advisory lock and nothing else.
/// The steps that stand outside of transactions have nowhere else to hold it, behind a pooler too.
struct Turn(Apart);

impl Turn {
    /// `None` when another instance has it.
    async fn take(config: &PostgresConfig, schema: &str) -> Result<Option<Self>, PostgresError> {
        let turn = Self(Apart::connect(config).await?);
        turn.0.client.batch_execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        let lock = "SELECT pg_try_advisory_xact_lock($1, hashtext($2))";
        let locked = turn.0.client.query_typed(lock, &[(&TURN, Type::INT4), (&schema, Type::TEXT)]).await?;
        if locked[0].try_get(0)? {
            return Ok(Some(turn));
        }
        turn.end().await;
        Ok(None)
    }

    /// Gives it back. Dropped, it is given back too, a little later.
    async fn end(self) {
        // A connection that is lost has given it back.
        let _ = self.0.client.batch_execute("COMMIT").await;
        self.0.end().await;
    }
}

/// The server's clock, in milliseconds.
async fn clock(client: &impl GenericClient) -> Result<i64, PostgresError> {
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    Ok(client.query_typed(now, &[]).await?[0].try_get(0)?)
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Another instance, perhaps of version 8, makes tables in this database.
#[derive(Debug, thiserror::Error)]
#[error("another instance makes the scheduler's tables")]
struct MadeElsewhere;

/// Applies what is missing, in this instance's turn.
async fn bring(client: &mut Client, schema: &str, is_told: &mut bool) -> Result<(), Failed> {
    let base = Found::read(client, schema).await?.base;
    if base < base::known() {
        make_base(client, schema, base, is_told).await?;
    }
    copy::clear(client, schema).await?;
    let path = format!("SET search_path TO \"{schema}\", pg_temp; SET statement_timeout = 0");
    client.batch_execute(&path).await.map_err(PostgresError::from)?;
    let applied = Found::read(client, schema).await?.applied();
    for step in steps::needed(&applied).chain(steps::belated(&applied)) {
        step.apply(client, schema).await?;
    }
    Ok(())
}

/// Brings the schema to version 8: in one transaction, but for the predecessor's table, which is copied where nothing stands in
/// the way.
async fn make_base(client: &mut Client, schema: &str, base: i32, is_told: &mut bool) -> Result<(), Failed> {
    let adopted = if base == 0 { adopt::look(client, schema).await? } else { None };
    if let Some(rows) = adopted {
        let Some(because) = copy::hindrance(client, schema).await? else {
            return copy::adopt(client, schema, rows).await;
        };
        if !std::mem::replace(is_told, true) {
            warn!(
                schema,
                rows,
                because,
                "the predecessor's table is adopted in its place: each row is rewritten, and it is locked until that is done"
            );
        }
    }
    let began = clock(client).await?;
    let transaction = client.transaction().await.map_err(PostgresError::from)?;
    let report = apply_base(&transaction, schema).await?;
    transaction.commit().await.map_err(PostgresError::from)?;
    for migration in report {
        info!(schema, %migration, "the scheduler's tables were migrated");
    }
    let took_ms = clock(client).await? - began;
    info!(schema, version = base::known(), took_ms, "the scheduler's tables were made");
    Ok(())
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
    code(error) == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Whether the server refused what the role may not do.
fn lacks_a_right(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    code(error) == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}

/// The server's code for what went wrong, under whatever wraps it.
fn code<'a>(error: &'a (dyn std::error::Error + Send + Sync + 'static)) -> Option<&'a SqlState> {
    let mut cause: Option<&'a (dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            return error.code();
        }
        if let Some(PostgresError::Driver(error)) = error.downcast_ref::<PostgresError>() {
            return error.code();
        }
        cause = error.source();
    }
    None
}

/// What the schema has; a role that may not even ask is told what it lacks.
async fn look(client: &Client, schema: &str) -> Result<Found, PostgresError> {
    match Found::read(client, schema).await {
        Err(error) if lacks_a_right(&error) => Err(rights::lacking(client, schema).await?.unwrap_or(error)),
        found => found,
    }
}

/// Nothing is missing: sees that the role may work with the tables, and that fences go on above those given.
async fn settle(client: &Client, schema: &str) -> Result<(), PostgresError> {
    rights::check(client, schema).await?;
    raise_fences(client, schema).await
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

async fn apply_base(transaction: &Transaction<'_>, schema: &str) -> Result<Vec<refinery_core::Migration>, Failed> {
    let limits = format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
         SET LOCAL lock_timeout = {}",
        LOCK_LIMIT.as_millis()
    );
    transaction.batch_execute(&limits).await.map_err(PostgresError::from)?;
    notice_disconnects(transaction).await?;
    let lock = transaction.query_typed("SELECT pg_try_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await;
    if !lock.and_then(|locked| locked[0].try_get::<_, bool>(0)).map_err(PostgresError::from)? {
        return Err(MadeElsewhere.into());
    }
    let there = transaction
        .query_typed("SELECT FROM pg_namespace WHERE nspname = $1", &[(&schema, Type::NAME)])
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
    base::apply(transaction).await
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
