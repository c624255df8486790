//! Attendance rows in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use thiserror::Error;
use tokio_postgres::{NoTls, error::SqlState};

use super::{AbsentRow, AttendanceStore, AttendanceStoreError};

/// How many connections the attendance rows may take: the job writes one batch after the other.
const CONNECTIONS: usize = 2;

/// How long a connection, or a free place in the pool, is waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The key under which instances that start at once make the table one after the other ("attendan" in ASCII).
const SCHEMA_LOCK: i64 = 0x6174_7465_6e64_616e;

/// Attendance rows in the table `attendances` of a PostgreSQL database.
#[derive(Clone)]
pub struct PostgresAttendance {
    pool: Pool,
}

/// Why the attendance table can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is none. It is not repeated, for it may hold a password.
    #[error("the database URL can't be read")]
    Url(#[source] tokio_postgres::Error),
    /// No connection can be had.
    #[error("can't connect to the attendance database")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The table can't be made.
    #[error("can't make the table `attendances`")]
    Schema(#[source] tokio_postgres::Error),
}

impl PostgresAttendance {
    /// Connects, and makes the table if it is not there.
    ///
    /// # Errors
    /// When the URL can't be read, no connection can be had, or the table can't be made.
    pub async fn connect(database_url: &str) -> Result<Self, ConnectError> {
        let store = Self { pool: pool(database_url)? };
        store.create_table().await?;
        Ok(store)
    }

    async fn create_table(&self) -> Result<(), ConnectError> {
        let mut client = self.pool.get().await.map_err(|error| ConnectError::Connect(error.into()))?;
        let transaction = client.transaction().await.map_err(ConnectError::Schema)?;
        let make = async {
            transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK]).await?;
            // Asked first, because IF NOT EXISTS needs the right to create even where there is nothing to do.
            let missing = transaction.query_one("SELECT to_regclass('attendances') IS NULL", &[]).await?;
            if missing.get(0) {
                transaction.batch_execute(include_str!("schema.sql")).await?;
            }
            transaction.commit().await
        };
        make.await.map_err(ConnectError::Schema)
    }
}

impl std::fmt::Debug for PostgresAttendance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresAttendance").field("pool", &self.pool.status()).finish()
    }
}

#[async_trait]
impl AttendanceStore for PostgresAttendance {
    async fn insert_absent(&self, date: NaiveDate, rows: &[AbsentRow]) -> Result<u64, AttendanceStoreError> {
        let client = self.pool.get().await.map_err(|error| AttendanceStoreError::Unavailable(error.into()))?;
        let employees: Vec<i32> = rows.iter().map(|row| row.employee_id).collect();
        let units: Vec<Option<i32>> = rows.iter().map(|row| row.org_unit_id).collect();
        let insert = client.prepare_cached(include_str!("insert_absent.sql")).await.map_err(sorted)?;
        client.execute(&insert, &[&date, &employees, &units]).await.map_err(sorted)
    }
}

fn pool(database_url: &str) -> Result<Pool, ConnectError> {
    let mut config: tokio_postgres::Config = database_url.parse().map_err(ConnectError::Url)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    // Verified: a connection that broke since the last run is found before a batch is lost to it.
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Verified });
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT))
        .recycle_timeout(Some(CONNECT_TIMEOUT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| ConnectError::Connect(error.into()))
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
