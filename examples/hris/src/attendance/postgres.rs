//! Attendance rows in PostgreSQL.

use async_trait::async_trait;
use chrono::NaiveDate;
use deadpool_postgres::{Object, Pool};
use scheduler::postgres::{PostgresConfig, PostgresError};
use thiserror::Error;
use tokio_postgres::{Client, error::SqlState};

use super::{AbsentRow, AttendanceStore, AttendanceStoreError};

/// How many connections the attendance rows may take: the job writes one batch after the other.
const CONNECTIONS: usize = 2;

/// How often a batch is sent while the connections it is given turn out to be broken: each of the pool's, and a new one.
const TRIES: usize = CONNECTIONS + 1;

/// The key under which instances that start at once make the table one after the other ("attendan" in ASCII).
const SCHEMA_LOCK: i64 = 0x6174_7465_6e64_616e;

/// The statement that makes the table, and the question whether it is to be made.
const TABLE: &str = include_str!("schema.sql");
const IS_MISSING: &str = "SELECT to_regclass('attendances') IS NULL";

/// Attendance rows in the table `attendances` of a PostgreSQL database.
#[derive(Clone)]
pub struct PostgresAttendance {
    pool: Pool,
}

/// Why the attendance table can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL can't be used, or no connection can be had.
    #[error(transparent)]
    Connect(#[from] PostgresError),
    /// The table can't be made.
    #[error("the table `attendances` can't be made")]
    Schema(#[source] tokio_postgres::Error),
    /// Nobody says whether the table is there.
    #[error("the table `attendances` can't be looked for")]
    Look(#[source] tokio_postgres::Error),
}

impl PostgresAttendance {
    /// Connects, with TLS as the URL's `sslmode` says, and makes the table if it is not there.
    ///
    /// # Errors
    /// When the URL can't be used, no connection can be had, or the table can't be made.
    pub async fn connect(database_url: &str) -> Result<Self, ConnectError> {
        let config = PostgresConfig::parse(database_url)?;
        let (client, connection) = config.connect().await?;
        // Ends when the client is dropped; what it could report, the client reports too.
        tokio::spawn(connection);
        create_table(client).await.map_err(ConnectError::Schema)?;
        Ok(Self { pool: config.pool(CONNECTIONS) })
    }

    /// What makes the table, where it is not there; changes nothing.
    ///
    /// # Errors
    /// When the URL can't be used, or no connection can be had.
    pub async fn missing_sql(database_url: &str) -> Result<Option<&'static str>, ConnectError> {
        let (client, connection) = PostgresConfig::parse(database_url)?.connect().await?;
        tokio::spawn(connection);
        let missing = client.query_one(IS_MISSING, &[]).await.map_err(ConnectError::Look)?;
        Ok(missing.get::<_, bool>(0).then_some(TABLE))
    }
}

async fn create_table(mut client: Client) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK]).await?;
    // Asked first, because IF NOT EXISTS needs the right to create even where there is nothing to do.
    let missing = transaction.query_one(IS_MISSING, &[]).await?;
    if missing.get(0) {
        transaction.batch_execute(TABLE).await?;
    }
    transaction.commit().await
}

impl std::fmt::Debug for PostgresAttendance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresAttendance").field("pool", &self.pool.status()).finish()
    }
}

#[async_trait]
impl AttendanceStore for PostgresAttendance {
    async fn insert_absent(&self, date: NaiveDate, rows: &[AbsentRow]) -> Result<u64, AttendanceStoreError> {
        let employees: Vec<i32> = rows.iter().map(|row| row.employee_id).collect();
        let units: Vec<Option<i32>> = rows.iter().map(|row| row.org_unit_id).collect();
        for tries in 1.. {
            let client = self.pool.get().await.map_err(|error| AttendanceStoreError::Unavailable(error.into()))?;
            let result = async {
                let insert = client.prepare_cached(include_str!("insert_absent.sql")).await?;
                client.execute(&insert, &[&date, &employees, &units]).await
            };
            match result.await {
                Ok(created) => return Ok(created),
                // The statement may be sent again: rows that it did write are then rows that exist.
                Err(error) if is_broken(&error) && tries < TRIES => drop(Object::take(client)),
                Err(error) => return Err(sorted(error)),
            }
        }
        unreachable!("the tries are counted")
    }
}

/// Whether it is this connection that has ended, as all do when the server restarts.
fn is_broken(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || error.code().is_some_and(|code| {
            [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
        })
}

/// A database that answers with one of these classes has looked at the rows and refuses one.
fn sorted(error: tokio_postgres::Error) -> AttendanceStoreError {
    const DATA: &str = "22";
    const CONSTRAINT: &str = "23";
    const RAISED: &str = "P0";
    const WITH_CHECK_OPTION: &str = "44";
    match error.as_db_error() {
        Some(refusal) if [DATA, CONSTRAINT, RAISED, WITH_CHECK_OPTION].contains(&class(refusal.code())) => {
            AttendanceStoreError::Refused(refusal.message().to_owned())
        }
        _ => AttendanceStoreError::Unavailable(error.into()),
    }
}

/// The first two characters of a SQLSTATE.
fn class(state: &SqlState) -> &str {
    &state.code()[..2]
}
